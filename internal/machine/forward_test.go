package machine

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"vmctl/internal/portfwd"
)

// greeter listens on an address of the machine's pod and greets with a word.
func greeter(t *testing.T, address string, port int, word string) int {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, word+"\n")
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// greeting is what a host port says.
func greeting(f portfwd.Forward) (string, error) {
	c, err := net.Dial("tcp", f.Local().String())
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

func drain(f *Forwarding) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.Drain(ctx)
}

func TestForwardGoesOnAfterRestart(t *testing.T) {
	for _, via := range []portfwd.Via{portfwd.Auto, portfwd.Stream} {
		t.Run(string(via), func(t *testing.T) {
			r := newRig(t)
			mc := r.up(t, "demo")
			port := greeter(t, mc.Address, 0, "first")
			forwarding, err := r.Forward(t.Context(), "demo", []portfwd.Spec{{Guest: port, Protocol: portfwd.TCP}}, via, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer drain(forwarding)
			f := forwarding.List()[0].Forward
			if want := map[portfwd.Via]portfwd.Via{portfwd.Auto: portfwd.Relay, portfwd.Stream: portfwd.Stream}[via]; f.Via != want {
				t.Errorf("by %s (%s), want %s", f.Via, f.Why, want)
			}
			if got, err := greeting(f); got != "first" {
				t.Fatalf("%q, %v", got, err)
			}
			if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
				t.Fatal(err)
			}
			again := r.up(t, "demo")
			if again.Address == mc.Address {
				t.Fatal("the machine has its old address: this test proves nothing")
			}
			greeter(t, again.Address, port, "second")
			for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				got, err := greeting(f)
				if got == "second" {
					break
				}
				// The old address answers until the pod is looked up again.
				if time.Now().After(deadline) {
					t.Fatalf("%q, %v", got, err)
				}
			}
			r.rt.Stop() // the runtime is gone: what is known goes on
			if got, err := greeting(f); got != "second" && via == portfwd.Auto {
				t.Errorf("without the runtime: %q, %v", got, err)
			}
			if err := r.rt.Restart(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestForwardChoosesStream(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	port := greeter(t, mc.Address, 0, "hello")
	guest := r.guestOf(mc.UID)
	lookup := guest.Lookup
	guest.Lookup = func(ctx context.Context) (portfwd.Pod, error) {
		p, err := lookup(ctx)
		p.Address = p.Address.Prev() // nobody there
		return p, err
	}
	f := portfwd.Forward{GuestPort: port, Protocol: portfwd.TCP}
	if via, why := guest.Choose(t.Context(), f); via != portfwd.Stream || !strings.Contains(why, "loopback answers") {
		t.Errorf("%s: %s", via, why)
	}
}

func TestForwardRefuses(t *testing.T) {
	r := newRig(t)
	ask := func(name string, s portfwd.Spec, via portfwd.Via) error {
		f, err := r.Forward(t.Context(), name, []portfwd.Spec{{Guest: 1, Protocol: portfwd.TCP}, s}, via, nil)
		if err == nil {
			drain(f)
		}
		return err
	}
	tcp := portfwd.Spec{Guest: 22, Protocol: portfwd.TCP}
	if err := ask("none", tcp, portfwd.Relay); !errors.Is(err, ErrNotFound) {
		t.Errorf("no machine: %v", err)
	}
	mc := r.up(t, "demo")
	taken := tcp
	taken.Host = mc.Forwards[0].HostPort
	if err := ask("demo", taken, portfwd.Relay); !errors.Is(err, portfwd.ErrTaken) || !strings.Contains(err.Error(), `machine "demo"`) {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := ask("demo", portfwd.Spec{Guest: 53, Protocol: portfwd.UDP}, portfwd.Stream); err == nil {
		t.Error("stream carries UDP")
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := ask("demo", tcp, portfwd.Relay); !errors.Is(err, ErrPhase) {
		t.Errorf("a machine that is stopped: %v", err)
	}
}
