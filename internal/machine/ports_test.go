package machine

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

func port(name string, guest int, host, protocol string) recipe.Port {
	h, err := recipe.ParseHostPort(host)
	if err != nil {
		panic(err)
	}
	return recipe.Port{Name: name, Guest: guest, Host: h, Protocol: protocol, Address: "127.0.0.1"}
}

// picker has a host on which the given ports are taken by "nginx (pid 7)".
func picker(taken ...int) *portPicker {
	isTaken := map[int]bool{}
	for _, n := range taken {
		isTaken[n] = true
	}
	return &portPicker{
		busy: func(portfwd.Forward) string { return "" },
		check: func(f portfwd.Forward) error {
			if isTaken[f.HostPort] {
				return &portfwd.TakenError{Forward: f, Owner: portfwd.Owner{PID: 7, Command: "nginx"}}
			}
			return nil
		},
		free: func(start int, f portfwd.Forward, skip func(int, portfwd.Protocol) bool) (int, error) {
			for n := max(start, 40000*boolInt(start == 0)); n < 65536; n++ {
				if !isTaken[n] && !skip(n, f.Protocol) {
					return n, nil
				}
			}
			return 0, errors.New("none")
		},
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func hostPorts(list []portfwd.Forward) []int {
	var out []int
	for _, f := range list {
		out = append(out, f.HostPort)
	}
	return out
}

func TestPick(t *testing.T) {
	viewer := port("viewer", 8006, "8006+", "tcp")
	for _, tc := range []struct {
		name       string
		picker     *portPicker
		remembered []rememberedPort
		ports      []recipe.Port
		want       []int
	}{
		{"exactly", picker(), nil, []recipe.Port{port("viewer", 8006, "8006", "tcp")}, []int{8006}},
		{"wish granted", picker(), nil, []recipe.Port{viewer}, []int{8006}},
		{"next free one", picker(8006, 8007), nil, []recipe.Port{viewer}, []int{8008}},
		{"any", picker(), nil, []recipe.Port{port("x", 80, "any", "tcp")}, []int{40000}},
		{"the one of last time", picker(), []rememberedPort{{8006, "tcp", 8010}}, []recipe.Port{viewer}, []int{8010}},
		{"the one of last time is gone", picker(8010), []rememberedPort{{8006, "tcp", 8010}}, []recipe.Port{viewer}, []int{8006}},
		{"an exact port ignores last time", picker(), []rememberedPort{{8006, "tcp", 8010}}, []recipe.Port{port("v", 8006, "8006", "tcp")}, []int{8006}},
		{"udp follows tcp", picker(3389), nil, []recipe.Port{port("rdp", 3389, "3389+", "tcp"), port("rdp-udp", 3389, "3389+", "udp")}, []int{3390, 3390}},
		{"two wishes for one number", picker(), nil, []recipe.Port{viewer, port("other", 80, "8006+", "tcp")}, []int{8006, 8007}},
	} {
		tc.picker.remembered = tc.remembered
		got, err := tc.picker.pick(tc.ports)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if diff := cmp.Diff(tc.want, hostPorts(got)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestPickNamesTheOwner(t *testing.T) {
	_, err := picker(8006).pick([]recipe.Port{port("viewer", 8006, "8006", "tcp")})
	var taken *portfwd.TakenError
	if !errors.As(err, &taken) || taken.Owner.PID != 7 {
		t.Fatalf("error %v", err)
	}
	if h := hint.Of(err); !strings.Contains(h, `"8006+"`) {
		t.Errorf("hint %q", h)
	}
	p := picker()
	p.busy = func(portfwd.Forward) string { return "win10" }
	if _, err := p.pick([]recipe.Port{port("viewer", 8006, "8006", "tcp")}); err == nil || !strings.Contains(err.Error(), `machine "win10"`) {
		t.Errorf("error %v", err)
	}
}

func TestBusyIn(t *testing.T) {
	other := func(state cri.SandboxState, uid string, f portfwd.Forward) pod {
		return pod{Sandbox: cri.Sandbox{State: state, Labels: map[string]string{LabelMachine: "win10", LabelUID: uid},
			Annotations: map[string]string{annotationPorts: encodePorts([]portfwd.Forward{f})}}}
	}
	theirs := forward("viewer", 8006, 8006, portfwd.TCP)
	everywhere := theirs
	everywhere.Address = netip.MustParseAddr("0.0.0.0")
	udp := theirs
	udp.Protocol = portfwd.UDP
	elsewhere := theirs
	elsewhere.Address = netip.MustParseAddr("127.0.0.2")
	for _, tc := range []struct {
		name string
		pod  pod
		ask  portfwd.Forward
		want string
	}{
		{"same", other(cri.SandboxReady, "u2", theirs), theirs, "win10"},
		{"they listen everywhere", other(cri.SandboxReady, "u2", everywhere), theirs, "win10"},
		{"other protocol", other(cri.SandboxReady, "u2", theirs), udp, ""},
		{"other address", other(cri.SandboxReady, "u2", theirs), elsewhere, ""},
		{"stopped", other(cri.SandboxNotReady, "u2", theirs), theirs, ""},
		{"our own", other(cri.SandboxReady, "u1", theirs), theirs, ""},
	} {
		if got := busyIn(survey{pods: []pod{tc.pod}}, "u1")(tc.ask); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
