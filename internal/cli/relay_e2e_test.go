//go:build e2e

package cli

import (
	"encoding/json"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"vmctl/internal/portfwd"
)

// TestE2ERelay reaches a real guest by relay, TCP and UDP, and kills the process that
// relays: another takes its place by itself, on the same ports.
func TestE2ERelay(t *testing.T) {
	for runtime, endpoint := range oneRuntime(t, "containerd-2") {
		t.Run(runtime, func(t *testing.T) {
			u := newUser(t, endpoint)
			u.env = append(u.env, "XDG_RUNTIME_DIR="+u.home)
			u.deleteAtEnd("demo")
			via := []string{"--set", "ports.viewer.via=relay", "--set", "ports.http.via=relay", "--set", "ports.echo-udp.via=relay"}
			u.run(append([]string{"up", "demo"}, via...)...)
			m := u.show("demo")
			testGuestPorts(t, m)
			served := u.forwards(t)
			if len(served) != 3 {
				t.Fatalf("served: %+v", served)
			}
			var taken *portfwd.TakenError // one process serves them all
			if err := portfwd.Check(served[0].forward()); !errors.As(err, &taken) || taken.Owner.PID == 0 {
				t.Fatalf("who listens on %d: %v", served[0].Host, err)
			}
			if err := syscall.Kill(taken.Owner.PID, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			within(t, 10*time.Second, "another process that listens", func() error {
				killed := taken.Owner.PID
				if !errors.As(portfwd.Check(served[0].forward()), &taken) || taken.Owner.PID == 0 || taken.Owner.PID == killed {
					return errors.New("nobody listens")
				}
				return nil
			})
			testGuestPorts(t, m)
			u.run("stop", "demo")
			if left := u.forwards(t); len(left) > 0 {
				t.Errorf("after the stop: %+v", left)
			}
		})
	}
}

// forwards are those that a process of the user's serves.
func (u *user) forwards(t *testing.T) (served []jsonForward) {
	t.Helper()
	var all []jsonForward
	if err := json.Unmarshal([]byte(u.run("ports", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Stats != nil {
			served = append(served, f)
		}
	}
	return served
}

func (f jsonForward) forward() portfwd.Forward {
	return portfwd.Forward{Address: netip.MustParseAddr(f.Address), HostPort: f.Host, GuestPort: f.Guest, Protocol: portfwd.Protocol(f.Protocol)}
}
