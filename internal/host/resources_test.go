package host

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiskFree(t *testing.T) {
	dir := t.TempDir()
	want(t, Host{}.DiskFree(dir, 1), OK, "free at "+dir)
	want(t, Host{}.DiskFree(filepath.Join(dir, "not", "yet"), 1), OK, "free at")
	want(t, Host{}.DiskFree(dir, 1<<62), Fail, "4EiB needed")
	want(t, Host{}.DiskFree("/"+strings.Repeat("x", 300), 1), Warn, "unknown")
}

func TestMemory(t *testing.T) {
	h := fake(t, map[string]string{"proc/meminfo": "MemTotal:       16384000 kB\nMemFree: 1 kB\nMemAvailable:    8192000 kB\nHugePages_Total:       0\n"})
	const gib = 1 << 30
	want(t, h.Memory(0), OK, "7.812GiB of 15.62GiB available")
	want(t, h.Memory(4*gib), OK, "available")
	want(t, h.Memory(10*gib), Warn, "10GiB wanted")
	want(t, h.Memory(32*gib), Fail, "32GiB needed")
	want(t, fake(t, nil).Memory(1), Warn, "unknown")
	want(t, fake(t, map[string]string{"proc/meminfo": "MemTotal: 5 kB\n"}).Memory(1), Warn, "does not say")
}

func TestKubelet(t *testing.T) {
	const containerd = "/run/containerd/containerd.sock"
	proc := func(pid, comm, mnt string, args ...string) map[string]string {
		dir := "proc/" + pid + "/"
		return map[string]string{
			"proc/self/ns/mnt": "->mnt:[1]", dir + "comm": comm + "\n",
			dir + "ns/mnt": "->" + mnt, dir + "cmdline": strings.Join(args, "\x00") + "\x00",
		}
	}
	const here = "mnt:[1]"
	for _, c := range []struct {
		name   string
		files  map[string]string
		socket string
		level  Level
		detail string
	}{
		{"none", proc("7", "bash", here), containerd, OK, "none runs"},
		{"same socket", proc("7", "kubelet", here, "kubelet", "--container-runtime-endpoint=unix://"+containerd), "unix://" + containerd, Warn, "kubelet (pid 7) uses the same"},
		{"same socket, flag apart", proc("7", "kubelet", here, "kubelet", "--container-runtime-endpoint", containerd), containerd, Warn, "uses the same"},
		{"other socket", proc("7", "kubelet", here, "kubelet", "--container-runtime-endpoint=unix:///run/crio/crio.sock"), containerd, OK, "another runtime"},
		{"endpoint in its configuration file", proc("7", "kubelet", here, "kubelet", "--config=x"), containerd, Warn, "may delete machines if"},
		{"our socket is unknown", proc("7", "kubelet", here, "kubelet", "--container-runtime-endpoint="+containerd), "", Warn, "may delete machines if"},
		{"k3s has its own", proc("7", "k3s-server", here, "k3s", "server"), containerd, OK, "another runtime"},
		{"k3s's own is ours", proc("7", "k3s-agent", here, "k3s"), k3sSocket, Warn, "uses the same"},
		{"k3s on another runtime", proc("7", "k3s-server", here, "k3s", "--container-runtime-endpoint", containerd), containerd, Warn, "uses the same"},
		{"in a container", proc("7", "kubelet", "mnt:[2]", "kubelet", "--container-runtime-endpoint="+containerd), containerd, OK, "none runs"},
		{"without a command line", map[string]string{"proc/7/comm": "kubelite\n"}, containerd, Warn, "kubelite (pid 7)"},
		{"no process at all", map[string]string{"proc/version": ""}, containerd, OK, "none runs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want(t, fake(t, c.files).Kubelet(c.socket), c.level, c.detail)
		})
	}
	want(t, fake(t, nil).Kubelet(containerd), Warn, "cannot be listed")
}

func TestResolvers(t *testing.T) {
	const etc, resolved, nm = "etc/resolv.conf", "run/systemd/resolve/resolv.conf", "run/NetworkManager/no-stub-resolv.conf"
	const stub = "# comment\nnameserver 127.0.0.53\noptions edns0\nsearch lan\n"
	for _, c := range []struct {
		name    string
		files   map[string]string
		servers []string
		level   Level
	}{
		{"no file", nil, nil, OK},
		{"real servers", map[string]string{etc: "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"}, nil, OK},
		{"systemd-resolved", map[string]string{etc: stub, resolved: "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"}, []string{"192.0.2.53", "2001:db8::53"}, OK},
		{"NetworkManager with dnsmasq", map[string]string{etc: "nameserver 127.0.0.1\n", nm: "nameserver 192.0.2.1\n"}, []string{"192.0.2.1"}, OK},
		{"resolved knows none, NetworkManager does", map[string]string{etc: stub, resolved: "", nm: "nameserver 192.0.2.1\n"}, []string{"192.0.2.1"}, OK},
		{"IPv6 loopback", map[string]string{etc: "nameserver ::1\n", resolved: "nameserver 192.0.2.1"}, []string{"192.0.2.1"}, OK},
		{"stub and a real one", map[string]string{etc: "nameserver 127.0.0.1\nnameserver 192.0.2.7\n"}, []string{"192.0.2.7"}, OK},
		{"link-local upstream", map[string]string{etc: stub, resolved: "nameserver fe80::1%eth0\nnameserver 192.0.2.1\n"}, []string{"192.0.2.1"}, OK},
		{"own stub of unknown upstream", map[string]string{etc: "nameserver 127.0.0.1\n"}, nil, Warn},
		{"broken lines", map[string]string{etc: "nameserver\nnameserver x\nnameserver 192.0.2.1\n"}, nil, OK},
		{"a folder", map[string]string{etc + "/": ""}, nil, Warn},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := fake(t, c.files)
			got, err := h.Resolvers()
			if diff := cmp.Diff(c.servers, got); diff != "" || (err != nil) != (c.name == "a folder") {
				t.Errorf("Resolvers: %v (-want +got):\n%s", err, diff)
			}
			want(t, h.Resolver(), c.level, strings.Join(c.servers, ", "))
		})
	}
}
