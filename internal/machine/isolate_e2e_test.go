//go:build e2e

package machine

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// TestE2EIsolation has a pod try the ports of another one's screen, before and after they
// are closed to it; the host, its mapped ports and the guest's own ports go on.
func TestE2EIsolation(t *testing.T) {
	for name, client := range runtimes(t) {
		t.Run(name, func(t *testing.T) {
			m := &Manager{Runtime: client}
			machine, other := newForwardRig(t, client), newForwardRig(t, client)
			for _, port := range []int{vncPort, viewerPort, mappedPort, 3389} {
				l := machine.listenTCP(t, ":"+strconv.Itoa(port))
				go func() {
					for c, err := l.Accept(); err == nil; c, err = l.Accept() {
						c.Close()
					}
				}()
			}
			reach := func(port int) error {
				c, err := net.DialTimeout("tcp", machine.at(port), 500*time.Millisecond)
				if err == nil {
					c.Close()
				}
				return err
			}
			// expect has the other pod and the host try all ports.
			expect := func(what string, closed ...int) {
				t.Helper()
				for _, port := range []int{vncPort, viewerPort, 3389} {
					var got error
					other.inside(t, func() error { got = reach(port); return nil })
					var timeout net.Error
					if shut := errors.As(got, &timeout) && timeout.Timeout(); shut != slices.Contains(closed, port) || !shut && got != nil {
						t.Errorf("%s: another pod to port %d: %v", what, port, got)
					}
					if err := reach(port); err != nil {
						t.Errorf("%s: the host to port %d: %v", what, port, err)
					}
				}
				if r := portfwd.Test(t.Context(), machine.mapped, machine.pod.Address.String()); r.State != portfwd.Answers {
					t.Errorf("%s: the mapped port: %+v", what, r)
				}
			}
			expect("before")
			m.isolate(t.Context(), machine.pod.ID, &recipe.Recipe{Viewer: recipe.Viewer{Peers: true}})
			expect("peers")
			m.isolate(t.Context(), machine.pod.ID, &recipe.Recipe{Viewer: recipe.Viewer{}})
			expect("closed", vncPort, viewerPort)
			begin := time.Now()
			m.isolate(t.Context(), machine.pod.ID, &recipe.Recipe{Viewer: recipe.Viewer{Protect: true}}) // again, and otherwise
			t.Logf("rules made in %s", time.Since(begin).Round(100*time.Microsecond))
			expect("viewer with a password", vncPort)
		})
	}
}
