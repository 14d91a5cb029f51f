//go:build e2e

package portfwd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// inNamespace runs f on a thread of its own in a fresh network namespace with loopback up,
// so that no rule touches the host.
func inNamespace(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread and its namespace end together
		ns, err := netns.New()
		if err != nil {
			done <- fmt.Errorf("this test needs root: %w", err)
			return
		}
		defer ns.Close()
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func iptables(args ...string) error {
	out, err := exec.Command("iptables", append([]string{"-w", "-t", "nat"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// A DNAT rule is what the portmap plugin makes: no socket shows it, and yet it takes the
// port.
func TestE2ECheckSeesADNATRule(t *testing.T) {
	inNamespace(t, func() error {
		// Go's netpoller may run the accept on any thread: a socket belongs to the
		// namespace it was made in, so that is harmless.
		guest, err := net.Listen("tcp4", "127.0.0.2:80")
		if err != nil {
			return err
		}
		defer guest.Close()
		f := Forward{Name: "web", Address: netip.MustParseAddr("127.0.0.1"), HostPort: 8006, GuestPort: 80, Protocol: TCP}
		if err := bind(f); err != nil {
			return err
		}
		if r := (Probe{}).Test(t.Context(), f, "127.0.0.2"); r.State != Broken || r.Hop != HopHost {
			t.Errorf("before the rule: %+v, want Broken", r)
		}
		if err := iptables("-A", "OUTPUT", "-d", "127.0.0.1", "-p", "tcp", "--dport", "8006", "-j", "DNAT", "--to", "127.0.0.2:80"); err != nil {
			return err
		}
		if err := bind(f); err != nil {
			return fmt.Errorf("the bind test sees the rule by itself: %w", err)
		}
		if r := (Probe{}).Test(t.Context(), f, "127.0.0.2"); r.State != Answers {
			t.Errorf("with the rule: %+v, want Answers", r)
		}
		err = Check(f)
		var taken *TakenError
		if !errors.As(err, &taken) || !taken.Owner.Forward {
			t.Errorf("Check = %v, want taken by a forward", err)
		}
		if s, err := Serve(f, nil, Limits{}); !errors.Is(err, ErrTaken) {
			t.Errorf("a relay on that port: %v, %v", s, err)
		}
		return nil
	})
}
