package critest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vmctl/internal/cri"
)

func isolationTests() []conformanceTest {
	return []conformanceTest{
		{name: "mounts", needs: isolated, run: testMounts},
		{name: "hostname, process 1, resolv.conf", needs: isolated, run: testSandboxView},
		{name: "devices and capabilities without privilege", needs: isolated, run: testDevices},
		{name: "a device that is not there", needs: isolated, run: testNoDevice},
		{name: "privileged", needs: isolated, run: testPrivileged},
		{name: "memory limit", needs: isolated, run: testMemoryLimit},
		{name: "network namespace is told", needs: isolated, run: testNetNS},
		{name: "the sandbox's address answers", needs: isolated, run: testAddress},
		{name: "port mapping on 127.0.0.1", needs: hostPorts, run: testHostPort},
	}
}

// output runs a script to its end in a container of its own and returns what it
// printed.
func (b *bench) output(pod cri.SandboxConfig, change func(*cri.ContainerConfig), script string) string {
	b.Helper()
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", script)
	if change != nil {
		change(&cfg)
	}
	id := b.startIn(sandbox, pod, cfg)
	b.waitExit(id)
	var out []string
	for _, l := range b.readLog(id) {
		_, text, _ := strings.Cut(l, " ")
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func testMounts(b *bench) {
	dir := b.TempDir()
	b.writeFile(filepath.Join(dir, "rw", "in"), "from the host\n")
	b.writeFile(filepath.Join(dir, "ro", "in"), "read only\n")
	got := b.output(b.pod("mounts"), func(c *cri.ContainerConfig) {
		c.WorkingDir = "/rw"
		c.Mounts = []cri.Mount{
			{HostPath: filepath.Join(dir, "rw"), ContainerPath: "/rw"},
			{HostPath: filepath.Join(dir, "ro"), ContainerPath: "/ro", ReadOnly: true},
		}
	}, `cat in /ro/in; echo hi > out; (echo hi > /ro/out) 2>/dev/null || echo refused`)
	if !strings.Contains(got, "from the host\nread only") || !strings.HasSuffix(got, "refused") {
		b.Errorf("in the container: %q", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "rw", "out")); err != nil || string(text) != "hi\n" {
		b.Errorf("on the host: %q, %v", text, err)
	}
}

func testSandboxView(b *bench) {
	pod := b.pod("view")
	pod.Hostname = "a-host-name"
	pod.DNS = &cri.DNSConfig{Servers: []string{"192.0.2.53"}, Searches: []string{"example.org"}, Options: []string{"ndots:3"}}
	got := b.output(pod, nil, `hostname; echo $$; sort /etc/resolv.conf`)
	want := "a-host-name\n1\nnameserver 192.0.2.53\noptions ndots:3\nsearch example.org"
	if got != want {
		b.Errorf("got %q, want %q", got, want)
	}
}

func testDevices(b *bench) {
	pod := b.pod("devices")
	pod.Sysctls = map[string]string{"net.ipv4.ip_forward": "1"}
	got := b.output(pod, func(c *cri.ContainerConfig) {
		c.Devices = []cri.Device{{HostPath: "/dev/net/tun", ContainerPath: "/dev/net/tun", Permissions: "rwm"}}
		c.Capabilities = []string{"NET_ADMIN"}
		c.Seccomp = cri.SeccompRuntimeDefault
	}, `test -c /dev/net/tun && echo tun; cat /proc/sys/net/ipv4/ip_forward; grep Seccomp: /proc/self/status; `+
		`ip link add br0 type bridge && echo bridge; test -e /dev/kmsg || echo small`)
	if want := "tun\n1\nSeccomp:\t2\nbridge\nsmall"; got != want {
		b.Errorf("got %q, want %q", got, want)
	}
}

func testNoDevice(b *bench) {
	pod := b.pod("nodevice")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", idle)
	cfg.Devices = []cri.Device{{HostPath: "/dev/no-such-device", ContainerPath: "/dev/x", Permissions: "rwm"}}
	if _, err = b.c.CreateContainer(b.ctx, sandbox, cfg, pod); err == nil || !strings.Contains(err.Error(), "/dev/no-such-device") {
		b.Errorf("error %v does not name the device", err)
	}
}

func testPrivileged(b *bench) {
	pod := b.pod("privileged")
	pod.Privileged = true
	got := b.output(pod, func(c *cri.ContainerConfig) { c.Privileged = true },
		`test -c /dev/kmsg && echo devices; ip link add br0 type bridge && echo bridge; mount -t tmpfs none /mnt && echo mount; grep Seccomp: /proc/self/status`)
	if want := "devices\nbridge\nmount\nSeccomp:\t0"; got != want {
		b.Errorf("got %q, want %q", got, want)
	}
}

func testMemoryLimit(b *bench) {
	const limit = 64 << 20
	got := b.output(b.pod("memory"), func(c *cri.ContainerConfig) { c.MemoryLimit = limit },
		`cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max`)
	if got != fmt.Sprint(limit) {
		b.Errorf("limit = %q, want %d", got, limit)
	}
}

func testNetNS(b *bench) {
	id, err := b.c.RunSandbox(b.ctx, b.pod("netns"), "")
	b.must(err)
	s, err := b.c.Sandbox(b.ctx, id)
	b.must(err)
	if _, err := os.Stat(s.NetNSPath); err != nil {
		b.Errorf("network namespace: %v", err)
	}
}

// web serves one page on port 8006.
const web = `trap 'exit 0' TERM; mkdir -p /www; echo hello > /www/index.html; httpd -p 8006 -h /www; echo ready; while :; do sleep 0.1; done`

func testAddress(b *bench) {
	_, _, sandbox := b.started("web", web)
	s, err := b.c.Sandbox(b.ctx, sandbox)
	b.must(err)
	b.get(net.JoinHostPort(s.IP, "8006"))
}

func testHostPort(b *bench) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	port := l.Addr().(*net.TCPAddr).Port
	b.must(l.Close())
	pod := b.pod("ports")
	pod.PortMappings = []cri.PortMapping{
		{Protocol: cri.TCP, ContainerPort: 8006, HostPort: port, HostIP: "127.0.0.1"},
		{Protocol: cri.UDP, ContainerPort: 8006, HostPort: port, HostIP: "127.0.0.1"},
	}
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	id := b.startIn(sandbox, pod, b.shell("main", web))
	b.waitLog(id, "ready")
	b.get(fmt.Sprintf("127.0.0.1:%d", port))
}

func (b *bench) get(address string) {
	b.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + address + "/")
	b.must(err)
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello\n" {
		b.Errorf("page = %q, %v", body, err)
	}
}
