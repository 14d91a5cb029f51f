package machine

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"vmctl/internal/portfwd"
)

func TestExposure(t *testing.T) {
	const open, screen = "open to other computers", "open to other computers, and the guest's screen there asks for no password"
	for _, c := range []struct {
		address   string
		guest     int
		protocol  portfwd.Protocol
		protected bool
		want      string
	}{
		{"127.0.0.1", 8006, portfwd.TCP, false, ""},
		{"127.0.0.2", 5900, portfwd.TCP, false, ""},
		{"::1", 8006, portfwd.TCP, false, ""},
		{"0.0.0.0", 8006, portfwd.TCP, false, screen},
		{"::", 8006, portfwd.TCP, false, screen},
		{"192.168.1.7", 8006, portfwd.TCP, true, open},
		{"192.168.1.7", 5900, portfwd.TCP, true, screen},
		{"0.0.0.0", 3389, portfwd.TCP, false, open},
		{"0.0.0.0", 8006, portfwd.UDP, false, open},
	} {
		f := portfwd.Forward{Address: netip.MustParseAddr(c.address), GuestPort: c.guest, Protocol: c.protocol}
		if got := (Machine{ViewerProtected: c.protected}).Exposure(f); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestStartTellsOfOpenPorts: a start warns of the ports that its recipe opens, and the
// list of ports goes on doing so.
func TestStartTellsOfOpenPorts(t *testing.T) {
	for protect, want := range map[string]string{"": " asks for no password", "[viewer]\nprotect = true\n": " is open to other computers"} {
		r := newRig(t)
		text := strings.Replace(rigRecipe, "host = \"any\"\n", "host = \"any\"\naddress = \"0.0.0.0\"\n", 1) + protect
		var notes []string
		if _, err := r.Up(t.Context(), "demo", parse(t, text), StartOptions{Wait: UntilRunning}, func(p Progress) {
			if p.Stage == StageNote {
				notes = append(notes, p.Text)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, "0.0.0.0:") && strings.HasSuffix(n, want) }) {
			t.Errorf("with %q: notes %q", protect, notes)
		}
		list, err := r.Ports(t.Context(), "demo", false)
		if err != nil || len(list) != 1 || !strings.HasSuffix("is "+list[0].Exposure, strings.TrimSpace(want)) {
			t.Errorf("with %q: ports %+v, %v", protect, list, err)
		}
		r.down(t, "demo")
	}
}
