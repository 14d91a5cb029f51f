package containerd

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// at moves the paths that tests write to below dir.
func at(dir string) paths {
	p := pathsOf("lab")
	p.root, p.state = filepath.Join(dir, "root"), filepath.Join(dir, "state")
	p.cniConf = filepath.Join(p.root, "cni")
	p.network = filepath.Join(p.cniConf, "10-vmctl.conflist")
	p.config = filepath.Join(p.root, "containerd.toml")
	p.pause = filepath.Join(p.root, "pause.tar")
	p.daemon, p.runc = filepath.Join(p.state, "state"), filepath.Join(p.state, "runc")
	p.process = filepath.Join(p.state, "daemon.json")
	p.socket = filepath.Join(p.state, "containerd.sock")
	p.ttrpc = p.socket + ".ttrpc"
	p.log = filepath.Join(dir, "lab.log")
	return p
}

// instanceAt is the instance "lab" with its files below dir.
func instanceAt(t *testing.T, dir string) *Instance {
	t.Helper()
	i, err := New(Options{Name: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	i.paths = at(dir)
	for _, d := range []string{i.paths.root, i.paths.state} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func write(t *testing.T, file, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		write(t, file, got, 0o644)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; UPDATE_GOLDEN=1 writes it):\n%s", file, diff)
	}
}

func TestNetworkRender(t *testing.T) {
	n := network{name: "vmctl-lab", bridge: "vmctl-0a1b2c", subnet: netip.MustParsePrefix("10.213.4.0/24"), ipam: "/run/vmctl/lab/ipam"}
	for file, p := range map[string]plugins{
		"testdata/all-plugins.conflist":   {version: "1.0.0", portmap: true, firewall: true},
		"testdata/only-bridge.conflist":   {version: "0.4.0"},
		"testdata/no-firewall.conflist":   {version: "1.0.0", portmap: true},
		"testdata/only-firewall.conflist": {version: "1.0.0", firewall: true},
	} {
		got, err := n.render(p)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, string(got))
	}
}

func TestSubnetsIn(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name, text string
		want       []netip.Prefix
	}{
		{"list with ranges", `{"plugins":[{"type":"bridge","ipam":{"ranges":[[{"subnet":"10.1.0.0/16"}],[{"subnet":"fd00::/64"}]]}}]}`, prefixes("10.1.0.0/16", "fd00::/64")},
		{"list with a subnet", `{"plugins":[{"type":"bridge","ipam":{"subnet":"10.2.3.4/24"}},{"type":"portmap"}]}`, prefixes("10.2.3.0/24")},
		{"single plugin", `{"type":"bridge","ipam":{"subnet":"10.3.0.0/24"}}`, prefixes("10.3.0.0/24")},
		{"no addresses", `{"type":"loopback"}`, nil},
		{"bad subnet", `{"type":"bridge","ipam":{"subnet":"10.3.0.0"}}`, nil},
		{"no JSON", `# empty`, nil},
	} {
		got := subnetsIn(write(t, filepath.Join(dir, "x.conf"), tc.text, 0o600))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := subnetsIn(filepath.Join(dir, "absent")); got != nil {
		t.Errorf("an absent file has %v", got)
	}
}

func TestSubnetIsRemembered(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	if got := i.savedSubnet(); got.IsValid() {
		t.Fatalf("saved subnet before the first start: %v", got)
	}
	first, err := i.writeNetwork(plugins{version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := i.savedSubnet(); got != first.subnet {
		t.Errorf("saved %v, want %v", got, first.subnet)
	}
	again, err := i.writeNetwork(plugins{version: "1.0.0", portmap: true})
	if err != nil || again.subnet != first.subnet {
		t.Errorf("second start: %v, %v, want %v again", again.subnet, err, first.subnet)
	}
}
