package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
)

// guestOf dials the machine with this uid, wherever it is by then.
func (m *Manager) guestOf(uid string) *portfwd.Guest {
	return &portfwd.Guest{
		Lookup: func(ctx context.Context) (portfwd.Pod, error) { return m.podOf(ctx, uid) },
		Stream: func(ctx context.Context, sandbox string, port int) (net.Conn, error) {
			return m.Runtime.PortForward(ctx, sandbox, port)
		},
	}
}

// podOf finds the machine's newest ready sandbox.
func (m *Manager) podOf(ctx context.Context, uid string) (portfwd.Pod, error) {
	list, err := m.Runtime.ListSandboxes(ctx, cri.SandboxFilter{Labels: map[string]string{LabelUID: uid}})
	if err != nil {
		return portfwd.Pod{}, err
	}
	for _, s := range newestFirst(list) {
		if s.State != cri.SandboxReady {
			continue
		}
		status, err := m.Runtime.Sandbox(ctx, s.ID)
		if err != nil {
			return portfwd.Pod{}, err
		}
		pod := portfwd.Pod{ID: s.ID, NetNS: status.NetNSPath}
		pod.Address, _ = netip.ParseAddr(status.IP) // none: the runtime may stream
		return pod, nil
	}
	return portfwd.Pod{}, portfwd.ErrNoPod
}

// Forwarding is what Forward serves.
type Forwarding struct{ portfwd.Set }

// Forward listens on this host for what specs ask, besides the ports of the recipe, and
// forwards to the machine by the rung via, or the best that answers where that is Auto.
// It serves until the Forwarding is drained, also when the machine is started anew
// meanwhile. ErrPhase: the machine is not up.
func (m *Manager) Forward(ctx context.Context, name string, specs []portfwd.Spec, via portfwd.Via, report Reporter) (*Forwarding, error) {
	f, err := m.forward(ctx, name, specs, via, report)
	if err != nil {
		return nil, fmt.Errorf("forward ports of %q: %w", name, err)
	}
	return f, nil
}

func (m *Manager) forward(ctx context.Context, name string, specs []portfwd.Spec, via portfwd.Via, report Reporter) (*Forwarding, error) {
	h, err := m.openUp(ctx, name)
	if err != nil {
		return nil, err
	}
	guest := m.guestOf(h.rec.UID)
	out := &Forwarding{portfwd.Set{Dial: guest.Dial}}
	for _, spec := range specs {
		f, err := resolve(ctx, guest, spec, via)
		if err == nil {
			err = m.notMapped(ctx, f)
		}
		if err == nil {
			f, err = out.Add(f)
		}
		if err != nil {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			out.Drain(ended)
			return nil, err
		}
		warnOpen(f, h.recipe.Viewer.Protect, report)
	}
	return out, nil
}

// openUp opens a machine that is up; ErrPhase if it is not.
func (m *Manager) openUp(ctx context.Context, name string) (*handle, error) {
	h, err := m.open(name)
	if err != nil {
		return nil, hint.With(err, "see the machines with: vmctl ls")
	}
	_, err = m.podOf(ctx, h.rec.UID)
	if errors.Is(err, portfwd.ErrNoPod) {
		err = hint.With(fmt.Errorf("%w: %w", ErrPhase, err), "start it with: vmctl start %s", name)
	}
	return h, err
}

// forwardFor is a wish as a forward, its rung left open.
func forwardFor(spec portfwd.Spec) portfwd.Forward {
	f := portfwd.Forward{Address: spec.Address, HostPort: spec.Host, GuestPort: spec.Guest, Protocol: spec.Protocol}
	if !f.Address.IsValid() {
		f.Address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return f
}

// resolve decides what a wish leaves open: the address, the port and the rung.
func resolve(ctx context.Context, guest *portfwd.Guest, spec portfwd.Spec, via portfwd.Via) (f portfwd.Forward, err error) {
	f = forwardFor(spec)
	f.Via, f.Why = via, asAsked
	switch {
	case via == portfwd.Auto:
		f.Via, f.Why = guest.Choose(ctx, f)
	case via == portfwd.Stream && f.Protocol == portfwd.UDP:
		return f, fmt.Errorf("%s: stream carries no UDP", spec)
	}
	if spec.Next {
		f.HostPort, err = portfwd.Free(spec.Host, f, nil)
	}
	return f, err
}
