package machine

import (
	"strings"
	"testing"

	"vmctl/internal/portfwd"
)

func TestModeOf(t *testing.T) {
	for line, want := range map[string]networkMode{
		"❯ Guest: 172.30.90.2 | Mode: NAT | MAC: 02:65:20:21:3D:36": modeNAT,
		"Guest: 10.88.90.7 | Mode: User (passt) | MAC: 02:65":       modeUser,
		"Guest: 10.88.90.7 | Mode: User (slirp) | MAC: 02:65":       modeUser,
		"Guest: 192.168.1.7 | Mode: DHCP | MAC: 02:65":              modeLAN,
		"CPU: AMD | RAM: 3/4 GB | DISK: 60 GB (ext4)":               modeUnknown,
		"guest: I like | Mode: NAT":                                 modeUnknown,
	} {
		if got := modeOf(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestExplainSilence(t *testing.T) {
	silent := func(port int) portfwd.Result {
		return portfwd.Result{Forward: portfwd.Forward{GuestPort: port, Protocol: portfwd.TCP}, State: portfwd.NotYet, Hop: portfwd.HopPod, Detail: "10.0.0.7:22 refuses"}
	}
	for _, c := range []struct {
		name   string
		in     portfwd.Result
		mode   networkMode
		phase  Phase
		state  portfwd.State
		hop    string
		detail string
		hint   string
	}{
		{"answers", portfwd.Result{State: portfwd.Answers}, modeUser, Running, portfwd.Answers, "", "", ""},
		{"before its network", silent(22), modeUnknown, Starting, portfwd.NotYet, portfwd.HopPod, "not there yet", ""},
		{"no word of its network", silent(22), modeUnknown, Running, portfwd.NotYet, portfwd.HopPod, "refuses", ""},
		{"NAT", silent(22), modeNAT, Running, portfwd.NotYet, portfwd.HopGuest, "nothing in it listens on port 22", ""},
		{"while it installs", silent(22), modeNAT, Installing, portfwd.NotYet, portfwd.HopGuest, "being installed", ""},
		{"user mode, listed", silent(22), modeUser, Running, portfwd.NotYet, portfwd.HopGuest, "nothing in it listens", ""},
		{"user mode, listed for udp", silent(53), modeUser, Running, portfwd.NotYet, portfwd.HopGuest, "nothing in it listens", ""},
		{"user mode, not listed", silent(23), modeUser, Running, portfwd.Broken, portfwd.HopGuest, "not among its USER_PORTS", "network = \"nat\""},
		{"LAN", silent(22), modeLAN, Running, portfwd.NotYet, portfwd.HopGuest, "refuses", "address of its own"},
		{"the image's port", silent(8006), modeUser, Running, portfwd.NotYet, portfwd.HopPod, "refuses", ""},
	} {
		got := explainSilence(c.in, c.mode, c.phase, "22,53/udp 80")
		if got.State != c.state || got.Hop != c.hop || !strings.Contains(got.Detail, c.detail) || !strings.Contains(got.Hint, c.hint) || (c.hint == "") != (got.Hint == "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
