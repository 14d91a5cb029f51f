package machine

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

const testUID = "6f1c2d3e-0000-4000-8000-000000000001"

func parse(t *testing.T, text string) *recipe.Recipe {
	t.Helper()
	r, err := recipe.Parse([]byte(text), "test.toml")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const demoRecipe = `
summary = "a demo"
guest = "demo"
image = "localhost/vmctl-demo:1"
[resources]
cpus = 1
memory = "256M"
disk = "1G"
[[ports]]
name = "viewer"
guest = 8006
host = "any"
[lifecycle]
stop_grace = "45s"
`

func forward(name string, host, guest int, p portfwd.Protocol) portfwd.Forward {
	return portfwd.Forward{Name: name, Address: netip.MustParseAddr("127.0.0.1"), HostPort: host, GuestPort: guest, Protocol: p}
}

func testPlan(t *testing.T, text string) plan {
	return plan{name: "demo", uid: testUID, attempt: 2, recipe: parse(t, text), source: "bundled:demo",
		forwards: []portfwd.Forward{forward("viewer", 8006, 8006, portfwd.TCP), forward("echo", 7007, 7, portfwd.UDP)},
		storage:  "/m/demo/storage", logs: "/m/demo/logs", cgroup: "/vmctl", devices: []string{deviceKVM, deviceTun}}
}

func TestSandboxConfig(t *testing.T) {
	p := testPlan(t, demoRecipe)
	got := p.sandboxConfig()
	want := cri.SandboxConfig{
		Name: "demo", Namespace: "vmctl", UID: testUID, Attempt: 2,
		Hostname: "demo-6f1c2d3e", LogDirectory: "/m/demo/logs",
		PortMappings: []cri.PortMapping{
			{Protocol: cri.TCP, ContainerPort: 8006, HostPort: 8006, HostIP: "127.0.0.1"},
			{Protocol: cri.UDP, ContainerPort: 7, HostPort: 7007, HostIP: "127.0.0.1"},
		},
		Labels: map[string]string{LabelMachine: "demo", LabelUID: testUID},
		Annotations: map[string]string{
			annotationRecipe: "bundled:demo", annotationHash: p.recipe.Hash(),
			annotationStorage: "/m/demo/storage", annotationGrace: "45",
			annotationPorts: `[{"name":"viewer","address":"127.0.0.1","host":8006,"guest":8006,"protocol":"tcp"},` +
				`{"name":"echo","address":"127.0.0.1","host":7007,"guest":7,"protocol":"udp"}]`,
		},
		CgroupParent: "/vmctl", Privileged: true, PIDNamespace: cri.NamespaceContainer,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestContainerConfig(t *testing.T) {
	c := testPlan(t, demoRecipe).containerConfig("localhost/vmctl-demo:1")
	if !c.Privileged || c.Seccomp != "" || c.Capabilities != nil {
		t.Errorf("a privileged container asks for more: %+v", c)
	}
	if diff := cmp.Diff([]cri.Mount{{HostPath: "/m/demo/storage", ContainerPath: "/storage"}}, c.Mounts); diff != "" {
		t.Error(diff)
	}
	wantDevices := []cri.Device{{HostPath: "/dev/kvm", ContainerPath: "/dev/kvm", Permissions: "rwm"},
		{HostPath: "/dev/net/tun", ContainerPath: "/dev/net/tun", Permissions: "rwm"}}
	if diff := cmp.Diff(wantDevices, c.Devices); diff != "" {
		t.Error(diff)
	}
	env := map[string]string{}
	for _, e := range c.Env {
		env[e.Name] = e.Value
	}
	for name, want := range map[string]string{"RAM_SIZE": "256M", "CPU_CORES": "1", "DISK_SIZE": "1G"} {
		if env[name] != want {
			t.Errorf("%s = %q, want %q", name, env[name], want)
		}
	}
	if c.Attempt != 2 || c.Name != "vm" || c.LogPath != "vm.log" || c.PIDNamespace != cri.NamespaceContainer {
		t.Errorf("identity: %+v", c)
	}
}

func TestMinimalSecurity(t *testing.T) {
	p := testPlan(t, "security = \"minimal\"\n"+demoRecipe)
	s, c := p.sandboxConfig(), p.containerConfig("x")
	if s.Privileged || c.Privileged {
		t.Error("minimal is privileged")
	}
	if s.Sysctls["net.ipv4.ip_forward"] != "1" {
		t.Errorf("sysctls = %v", s.Sysctls)
	}
	if c.Seccomp != cri.SeccompRuntimeDefault || !cmp.Equal(c.Capabilities, []string{"NET_ADMIN"}) {
		t.Errorf("seccomp %q, capabilities %v", c.Seccomp, c.Capabilities)
	}
}

func TestHostnameIsUniqueAndShort(t *testing.T) {
	long := strings.Repeat("a", 39) + "-" + strings.Repeat("b", 40)
	for _, name := range []string{"demo", long, strings.Repeat("x-", 40)} {
		h := hostname(name, testUID)
		if len(h) > maxHostname || !strings.HasSuffix(h, "-6f1c2d3e") || strings.Contains(h, "--") {
			t.Errorf("hostname(%q) = %q", name, h)
		}
	}
	if hostname("demo", testUID) == hostname("demo", "aaaaaaaa-0000-4000-8000-000000000001") {
		t.Error("two machines of one name have the same host name, and so the same MAC address")
	}
}

func TestPortsSurviveTheAnnotation(t *testing.T) {
	want := []portfwd.Forward{forward("viewer", 8006, 8006, portfwd.TCP),
		{Name: "rdp", Address: netip.MustParseAddr("::1"), HostPort: 3390, GuestPort: 3389, Protocol: portfwd.UDP}}
	got, err := decodePorts(encodePorts(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if _, err := decodePorts("{"); err == nil {
		t.Error("a broken annotation is no error")
	}
}

func TestViewerURL(t *testing.T) {
	mc := Machine{Forwards: []portfwd.Forward{forward("viewer", 8007, 8006, portfwd.TCP)}}
	if got := mc.ViewerURL(); got != "http://127.0.0.1:8007/" {
		t.Error(got)
	}
	mc.Forwards[0].Address = netip.MustParseAddr("0.0.0.0")
	if got := mc.ViewerURL(); got != "http://127.0.0.1:8007/" {
		t.Error(got)
	}
	mc.Forwards[0].Address = netip.MustParseAddr("::1")
	if got := mc.ViewerURL(); got != "http://[::1]:8007/" {
		t.Error(got)
	}
	if got := (Machine{}).ViewerURL(); got != "" {
		t.Error(got)
	}
}
