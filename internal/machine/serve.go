package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// Agents keeps the forwards of machines in processes of their own; *portfwd.Agents does.
type Agents interface {
	Start(ctx context.Context, uid, name string) error
	Add(ctx context.Context, uid, name string, f portfwd.Forward) (portfwd.Forward, error)
	Remove(ctx context.Context, uid string, f portfwd.Forward) (bool, error)
	List(ctx context.Context, uid string) ([]portfwd.Status, error)
	Stop(ctx context.Context, uid string) error
}

// crioName is how CRI-O calls itself. It maps no port on loopback (cri-o
// server/sandbox_network.go).
const crioName = "cri-o"

// rungOf is by what a forward of the recipe goes at the machine's start, and why. A mapping
// that turns out not to answer is replaced once the guest is up; see watch.relayInstead.
func rungOf(f portfwd.Forward, runtime string) (via portfwd.Via, why string) {
	if f.Via != portfwd.Auto && f.Via != "" {
		return f.Via, asAsked
	}
	if runtime == crioName && f.Address.IsLoopback() {
		return portfwd.Relay, "CRI-O maps no port on loopback"
	}
	return portfwd.HostPort, itMaps
}

// asAsked is why a forward goes by the rung that the recipe or the user says.
const asAsked = "as asked for"

// itMaps is why a forward needs no process of ours.
const itMaps = "the runtime maps it"

// serve has the machine's agent serve those of the forwards that need it. It may be
// called before the machine is up: an agent dials for each connection.
func (m *Manager) serve(ctx context.Context, uid, name string, forwards []portfwd.Forward) error {
	for _, f := range forwards {
		if !f.Via.Ours() {
			continue
		}
		if m.Agents == nil {
			return fmt.Errorf("port %s: %w", listening(f), portfwd.ErrNoAgent)
		}
		if _, err := m.Agents.Add(ctx, uid, name, f); err != nil {
			return fmt.Errorf("port %s: %w", listening(f), err)
		}
	}
	return nil
}

// forwardsOf is what the machine's newest pod was started with.
func forwardsOf(pods []pod) []portfwd.Forward {
	if len(pods) == 0 {
		return nil
	}
	forwards, err := decodePorts(pods[0].Annotations[annotationPorts])
	if err != nil {
		return nil // written by something else than vmctl
	}
	return forwards
}

// endForwards ends the machine's agent, which has nothing to forward to any more.
func (m *Manager) endForwards(ctx context.Context, uid string) {
	if m.Agents == nil {
		return
	}
	ctx, cancel := detach(ctx, cleanupTime)
	defer cancel()
	if err := m.Agents.Stop(ctx, uid); err != nil {
		m.log().Warn("the process that forwards ports was not ended", "uid", uid, "error", err)
	}
}

// relayInstead has a relay take the place of a mapping that does not answer, where the
// recipe leaves the choice. It reports whether the port answers by it.
func (w *watch) relayInstead(ctx context.Context, f portfwd.Forward, why string) bool {
	free := slices.ContainsFunc(w.h.recipe.Ports, func(p recipe.Port) bool {
		return p.Guest == f.GuestPort && p.Protocol == string(f.Protocol) && p.Via == string(portfwd.Auto)
	})
	if !free || w.m.Agents == nil || f.Via.Ours() {
		return false
	}
	f.Via, f.Why = portfwd.Relay, why
	if _, err := w.m.Agents.Add(ctx, w.h.rec.UID, w.h.name, f); err != nil {
		w.m.log().Warn("no relay for a port that the runtime does not map", "port", listening(f), "error", err)
		return false
	}
	r := portfwd.Test(ctx, f, w.address)
	if works := r.State == portfwd.Answers || f.Protocol == portfwd.UDP && r.State != portfwd.Broken; !works {
		return false
	}
	w.report.note(listening(f) + " goes by relay: " + why)
	return true
}

// ServeForwards is the machine's agent: it serves, and watches for idleness, until ctx ends, the machine is stopped
// or gone, or another agent is there. It is what Agents' command line must call.
func (m *Manager) ServeForwards(ctx context.Context, name string, agents *portfwd.Agents) error {
	h, err := m.openAny(name)
	if err != nil {
		return err
	}
	uid := h.rec.UID
	ctx, end := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { (&idleWatch{m: m, name: name, uid: uid}).run(ctx) })
	defer work.Wait() // it may be what has stopped the machine
	defer end()
	return agents.Run(ctx, uid, name, &portfwd.Set{Dial: m.guestOf(uid).Dial}, func() bool { return m.needsForwards(name, uid) })
}

// KeepForwards is the agent's keeper, which starts it anew when it is killed. It needs no
// runtime.
func (m *Manager) KeepForwards(ctx context.Context, name string, agents *portfwd.Agents) error {
	h, err := m.openAny(name)
	if err != nil {
		return err
	}
	return agents.Keep(ctx, h.rec.UID)
}

// stoppedFor is how long a machine may be stopped before its agent ends by itself, should
// nobody have ended it. A restart takes less.
const stoppedFor = time.Minute

func (m *Manager) needsForwards(name, uid string) bool {
	h, err := m.openAny(name)
	if errors.Is(err, ErrNotFound) {
		return false
	}
	if err != nil {
		return true // half written, perhaps
	}
	stopped := h.rec.Intent == intentStop && h.rec.Endpoint == "" && time.Since(h.rec.IntentAt) > stoppedFor
	return h.rec.UID == uid && !stopped
}

// KeepForward has the machine's agent serve what specs ask until the machine is stopped;
// else it is as Forward.
func (m *Manager) KeepForward(ctx context.Context, name string, specs []portfwd.Spec, via portfwd.Via, report Reporter) (forwards []portfwd.Forward, err error) {
	h, err := m.openUp(ctx, name)
	for _, spec := range specs {
		if err != nil {
			break
		}
		f, resolveErr := resolve(ctx, m.guestOf(h.rec.UID), spec, via)
		if err = resolveErr; err == nil {
			err = m.notMapped(ctx, f)
		}
		if err == nil {
			f, err = m.Agents.Add(ctx, h.rec.UID, name, f)
		}
		if err == nil {
			warnOpen(f, h.recipe.Viewer.Protect, report)
			forwards = append(forwards, f)
		}
	}
	if err != nil {
		err = fmt.Errorf("forward ports of %q: %w", name, err)
	}
	return forwards, err
}

// EndForward ends a forward that KeepForward, or the machine's start, has given to the
// agent. ErrNotFound: there is none on that host port.
func (m *Manager) EndForward(ctx context.Context, name string, spec portfwd.Spec) error {
	h, err := m.openAny(name)
	if err != nil {
		return hint.With(err, "see the machines with: vmctl ls")
	}
	f := forwardFor(spec)
	had, err := m.Agents.Remove(ctx, h.rec.UID, f)
	if err == nil && !had {
		err = hint.With(fmt.Errorf("forward %s of %q: %w", listening(f), name, ErrNotFound), "see the forwards with: vmctl ports %s", name)
	}
	return err
}
