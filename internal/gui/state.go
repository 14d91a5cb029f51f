package gui

import (
	"slices"
	"strings"

	"vmctl/internal/machine"
)

// state is what the window knows. It is used on the UI thread only.
type state struct {
	machines []machine.Machine // as last listed, sorted by name
	listed   bool              // there was such a list
	gone     error             // why there is no newer one
	selected string            // machine on the right; "" is none
	awaited  bool              // the next list will have the selected one, this one has not
	ops      map[string]*operation
	usage    map[string]machine.Usage // of machines that are up, as last measured
	notes    map[string][]string      // what the last operation on a machine had to say
}

func newState() state {
	return state{ops: map[string]*operation{}, notes: map[string][]string{}}
}

// all returns the machines of the last list and those that are being made, sorted
// by name.
func (s *state) all() []machine.Machine {
	out := slices.Clone(s.machines)
	for i, m := range out {
		if op := s.ops[m.Name]; op != nil && op.stopping() && m.Phase.Up() {
			out[i].Phase = machine.Stopping // the next list will say so
		}
	}
	for name, op := range s.ops {
		if _, known := find(s.machines, name); !known && op.verb != verbDelete {
			out = append(out, op.machine)
		}
	}
	slices.SortStableFunc(out, func(a, b machine.Machine) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// choose makes sure that a machine is selected if there is any: when the selected
// one is gone, the one that has taken its place in the list.
func (s *state) choose(before []string) {
	now := s.all()
	if _, ok := find(now, s.selected); ok || s.awaited {
		return
	}
	place := max(0, slices.Index(before, s.selected))
	switch {
	case len(now) == 0:
		s.selected = ""
	default:
		s.selected = now[min(place, len(now)-1)].Name
	}
}

func find(machines []machine.Machine, name string) (machine.Machine, bool) {
	for _, m := range machines {
		if m.Name == name {
			return m, true
		}
	}
	return machine.Machine{}, false
}
