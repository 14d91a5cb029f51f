package containerd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vmctl/internal/hint"
)

func TestLANConfig(t *testing.T) {
	s := someSettings()
	s.lan = true
	text, err := s.render()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"containerd.runtimes.lan]", "cni_conf_dir = \"" + filepath.Dir(s.paths.lanNetwork) + "\"", "containerd.runtimes.lan.options]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if filepath.Dir(s.paths.lanNetwork) == filepath.Dir(s.paths.network) {
		t.Error("both networks in one directory: all pods would get the first")
	}
}

func TestLANNetworkIsRemembered(t *testing.T) {
	i := &Instance{paths: paths{lanNetwork: filepath.Join(t.TempDir(), "cni-lan", "10-vmctl-lan.conflist")}}
	if got := i.savedLAN(); got != "" {
		t.Errorf("before: %q", got)
	}
	data, err := lanNetwork{name: "vmctl-lab-lan", master: "eth7", socket: "/run/dhcp.sock"}.render(plugins{version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(i.paths.lanNetwork), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(i.paths.lanNetwork, data); err != nil {
		t.Fatal(err)
	}
	if got := i.savedLAN(); got != "eth7" {
		t.Errorf("saved: %q in %s", got, data)
	}
	i.options.LAN = NoLAN
	if there, err := i.writeLAN(plugins{}); there || err != nil || i.savedLAN() != "" {
		t.Errorf("taken away: %v, %v, %q", there, err, i.savedLAN())
	}
}

func TestCheckLAN(t *testing.T) {
	wireless := t.TempDir()
	if err := os.MkdirAll(filepath.Join(wireless, "lo", "phy80211"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ link, sys, want string }{
		{"no-such-link0", wireless, `interface "no-such-link0"`},
		{"lo", wireless, "loopback"},
	} {
		err := checkLAN(c.link, c.sys)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(hint.Of(err), "wired") {
			t.Errorf("%s: %v", c.link, err)
		}
	}
}
