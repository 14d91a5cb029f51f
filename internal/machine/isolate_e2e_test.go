//go:build e2e

package machine

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// TestE2EIsolation has a pod try the ports of another one's screen, before and after they
// are closed to it, from this host and by an errand; the host, its mapped ports and the
// guest's own ports go on.
func TestE2EIsolation(t *testing.T) {
	for name, client := range runtimes(t) {
		t.Run(name, func(t *testing.T) {
			m := &Manager{Runtime: client, Program: func() (string, error) { return filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "vmctl"), nil }}
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
			sandbox := cri.SandboxConfig{LogDirectory: machine.logs}
			open, protected := &recipe.Recipe{}, &recipe.Recipe{Viewer: recipe.Viewer{Protect: true}}
			m.isolate(t.Context(), machine.pod.ID, sandbox, &recipe.Recipe{Viewer: recipe.Viewer{Peers: true}})
			expect("peers")
			for by, closePorts := range map[string]func(context.Context, string, cri.SandboxConfig, *recipe.Recipe) error{
				"inside": m.closeInside, "errand": m.closeByErrand,
			} {
				begin := time.Now()
				if err := closePorts(t.Context(), machine.pod.ID, sandbox, open); err != nil {
					t.Fatal(by, err)
				}
				t.Logf("%s: rules made in %s", by, time.Since(begin).Round(100*time.Microsecond))
				expect(by+": closed", vncPort, viewerPort)
				if err := closePorts(t.Context(), machine.pod.ID, sandbox, protected); err != nil { // again, and otherwise
					t.Fatal(by, err)
				}
				expect(by+": viewer with a password", vncPort)
			}
			left, err := client.ListContainers(t.Context(), cri.ContainerFilter{SandboxID: machine.pod.ID})
			if err != nil || len(left) > 0 {
				t.Errorf("left in the pod: %+v, %v", left, err)
			}
		})
	}
}
