package machine

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// portPicker chooses the host ports of a machine at its start.
//
// Nothing in the runtime does it for us: the CNI portmap plugin neither binds the
// host port nor looks whether somebody else has it, and the last mapping wins.
type portPicker struct {
	// busy names the machine that a sandbox already maps this port for, or "".
	busy func(portfwd.Forward) string
	// check is portfwd.Check: is a process of this host listening there?
	check func(portfwd.Forward) error
	// free is portfwd.Free.
	free       func(start int, f portfwd.Forward, taken func(int, portfwd.Protocol) bool) (int, error)
	remembered []rememberedPort

	chosen []portfwd.Forward
	notes  []string
}

// pick returns a forward for each port of the recipe. A port that the recipe fixes
// and that is taken is an error naming its owner; otherwise the port of the last
// start is tried first, and a change is noted.
func (p *portPicker) pick(ports []recipe.Port) ([]portfwd.Forward, error) {
	for _, port := range ports {
		f, err := forwardOf(port)
		if err != nil {
			return nil, err
		}
		if port.Host.Mode == recipe.HostPortExact {
			f.HostPort = port.Host.Number
			if err := p.available(f); err != nil {
				return nil, fmt.Errorf("port %q: %w", portName(port), hint.With(err,
					"stop what uses it, or write host = \"%d+\" in the recipe to take the next free port", f.HostPort))
			}
		} else if f.HostPort, err = p.choose(f, port.Host.Number); err != nil {
			return nil, fmt.Errorf("port %q: %w", portName(port), err)
		}
		p.chosen = append(p.chosen, f)
	}
	return p.chosen, nil
}

func (p *portPicker) choose(f portfwd.Forward, start int) (int, error) {
	for _, candidate := range p.candidates(f, start) {
		f.HostPort = candidate
		err := p.available(f)
		if err == nil {
			return candidate, nil
		}
		p.notes = append(p.notes, err.Error()+"; the next free one is used")
	}
	f.HostPort = 0
	return p.free(start, f, func(n int, proto portfwd.Protocol) bool {
		g := f
		g.HostPort, g.Protocol = n, proto
		return p.mapped(g) != ""
	})
}

// candidates are the ports tried before searching: the one of the last start, the
// one the same guest port got for the other protocol, and the recipe's wish.
func (p *portPicker) candidates(f portfwd.Forward, start int) []int {
	var out []int
	for _, r := range p.remembered {
		if r.Guest == f.GuestPort && r.Protocol == f.Protocol {
			out = append(out, r.Host)
		}
	}
	for _, c := range p.chosen {
		if c.GuestPort == f.GuestPort && c.Protocol != f.Protocol {
			out = append(out, c.HostPort)
		}
	}
	if start > 0 && len(out) == 0 {
		out = append(out, start)
	}
	return slices.Compact(out)
}

// available reports, as an error naming the owner, why f cannot be had.
func (p *portPicker) available(f portfwd.Forward) error {
	if owner := p.mapped(f); owner != "" {
		return &mappedError{f, owner}
	}
	return p.check(f)
}

// mappedError is a host port that a machine's sandbox already has. No process
// listens there: the mapping is in the kernel.
type mappedError struct {
	forward portfwd.Forward
	machine string
}

func (e *mappedError) Error() string {
	return fmt.Sprintf("port %s is taken by machine %q", listening(e.forward), e.machine)
}

// Is reports whether target is portfwd.ErrTaken.
func (e *mappedError) Is(target error) bool { return target == portfwd.ErrTaken }

// mapped names the machine (this one included) that already has f's host port.
func (p *portPicker) mapped(f portfwd.Forward) string {
	for _, c := range p.chosen {
		if overlaps(c, f) {
			return "itself (" + c.Name + ")"
		}
	}
	return p.busy(f)
}

// overlaps reports whether two forwards want the same host port: the same number
// and protocol, and the same address or one that includes the other.
func overlaps(a, b portfwd.Forward) bool {
	return a.HostPort == b.HostPort && a.Protocol == b.Protocol &&
		(a.Address == b.Address || a.Address.IsUnspecified() || b.Address.IsUnspecified())
}

// busyIn looks a host port up in the pods of other machines.
func busyIn(s survey, uid string) func(portfwd.Forward) string {
	return func(f portfwd.Forward) string {
		return s.holder(f, func(p pod, _ portfwd.Forward) bool { return p.Labels[LabelUID] != uid })
	}
}

// holder names the machine whose pod has f's host port, of those that count, or "".
func (s survey) holder(f portfwd.Forward, counts func(pod, portfwd.Forward) bool) string {
	for _, p := range s.pods {
		if !ours(p.Labels) || !p.live() {
			continue
		}
		theirs, err := decodePorts(p.Annotations[annotationPorts])
		if err != nil {
			continue // written by something else than vmctl: the bind test remains
		}
		for _, t := range theirs {
			if overlaps(t, f) && counts(p, t) {
				return p.Labels[LabelMachine]
			}
		}
	}
	return ""
}

// notMapped is an error that names the machine whose pod has f's host port mapped. A
// relay could listen there all the same, and would get nothing.
func (m *Manager) notMapped(ctx context.Context, f portfwd.Forward) error {
	s, err := m.survey(ctx)
	if err != nil {
		return err
	}
	if owner := s.holder(f, func(_ pod, t portfwd.Forward) bool { return !t.Via.Ours() }); owner != "" {
		return &mappedError{f, owner}
	}
	return nil
}

// forwardOf translates a recipe's port; its host port is still open.
func forwardOf(port recipe.Port) (portfwd.Forward, error) {
	f := portfwd.Forward{Name: port.Name, GuestPort: port.Guest, Protocol: portfwd.Protocol(port.Protocol), Via: portfwd.Via(port.Via)}
	var err error
	if f.Address, err = netip.ParseAddr(port.Address); err != nil {
		return f, fmt.Errorf("port %q: address %q: %w", portName(port), port.Address, err)
	}
	return f, nil
}

func portName(p recipe.Port) string {
	if p.Name != "" {
		return p.Name
	}
	return fmt.Sprintf("%d/%s", p.Guest, p.Protocol)
}

// listening is how a host port is written for people: "127.0.0.1:8006/tcp".
func listening(f portfwd.Forward) string { return f.Host().String() + "/" + string(f.Protocol) }
