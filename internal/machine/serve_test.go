package machine

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"vmctl/internal/cri/critest"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// agentsHere serve in this process.
type agentsHere struct {
	m    *Manager
	mu   sync.Mutex
	sets map[string]*portfwd.Set
}

func withAgents(t *testing.T, r *rig) *agentsHere {
	a := &agentsHere{m: r.Manager, sets: map[string]*portfwd.Set{}}
	r.Agents = a
	t.Cleanup(func() {
		for uid := range a.sets {
			_ = a.Stop(context.Background(), uid)
		}
	})
	return a
}

func (a *agentsHere) set(uid string) *portfwd.Set {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sets[uid] == nil {
		a.sets[uid] = &portfwd.Set{Dial: a.m.guestOf(uid).Dial}
	}
	return a.sets[uid]
}

func (a *agentsHere) Start(context.Context, string, string) error { return nil }

func (a *agentsHere) Add(_ context.Context, uid, _ string, f portfwd.Forward) (portfwd.Forward, error) {
	return a.set(uid).Add(f)
}

func (a *agentsHere) Remove(_ context.Context, uid string, f portfwd.Forward) (bool, error) {
	return a.set(uid).Remove(f), nil
}

func (a *agentsHere) List(_ context.Context, uid string) ([]portfwd.Status, error) {
	return a.set(uid).List(), nil
}

func (a *agentsHere) Stop(_ context.Context, uid string) error {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	a.set(uid).Drain(ended)
	return nil
}

// CRI-O maps no port on loopback: a relay has it by itself, and the runtime is not asked.
func TestAutoIsARelayOnCRIO(t *testing.T) {
	r := newRig(t, critest.WithProfile(critest.CRIO()))
	withAgents(t, r)
	mc := r.up(t, "demo")
	if mc.Phase != Running || len(mc.Forwards) != 1 || mc.Forwards[0].Via != portfwd.Relay {
		t.Errorf("%s with %+v", mc.Phase, mc.Forwards)
	}
	ports, err := r.Ports(t.Context(), "demo", true)
	if err != nil || len(ports) != 1 || ports[0].State != PortLive || ports[0].Stats == nil || ports[0].Check.State != portfwd.Answers || !strings.Contains(ports[0].Why, "CRI-O") {
		t.Errorf("%+v, %v", ports, err)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	ports, err = r.Ports(t.Context(), "", true)
	if err != nil || len(ports) != 1 || ports[0].State != PortDown || ports[0].Stats != nil || ports[0].Check != nil {
		t.Errorf("after the stop: %+v, %v", ports, err)
	}
}

// A start that goes wrong leaves no forward behind.
func TestFailedStartEndsForwards(t *testing.T) {
	r := newRig(t, critest.WithProfile(critest.CRIO()))
	agents := withAgents(t, r)
	r.rt.At("StartContainer", 1).Fail(2, "no such luck")
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil); err == nil {
		t.Fatal("it started")
	}
	for uid, set := range agents.sets {
		if list := set.List(); len(list) > 0 {
			t.Errorf("machine %s still has %+v", uid, list)
		}
	}
	if len(agents.sets) != 1 {
		t.Errorf("%d machines had forwards: this test proves nothing", len(agents.sets))
	}
}

func TestRungOf(t *testing.T) {
	loopback, everywhere := forwardFor(portfwd.Spec{}), portfwd.Forward{Address: netip.IPv4Unspecified()}
	for _, c := range []struct {
		f       portfwd.Forward
		via     portfwd.Via
		runtime string
		want    portfwd.Via
	}{
		{loopback, portfwd.Auto, "containerd", portfwd.HostPort},
		{loopback, "", "containerd", portfwd.HostPort},
		{loopback, portfwd.Auto, "cri-o", portfwd.Relay},
		{everywhere, portfwd.Auto, "cri-o", portfwd.HostPort},
		{loopback, portfwd.HostPort, "cri-o", portfwd.HostPort},
		{loopback, portfwd.Stream, "containerd", portfwd.Stream},
	} {
		c.f.Via = c.via
		if got, why := rungOf(c.f, c.runtime); got != c.want || (why == asAsked) != (c.via == c.want) {
			t.Errorf("%s on %s: %q (%s), want %q", c.f, c.runtime, got, why, c.want)
		}
	}
	mapped := portMappings([]portfwd.Forward{{Via: portfwd.Relay}, {GuestPort: 7}, {Via: portfwd.Stream}, {GuestPort: 8, Via: portfwd.HostPort}})
	if len(mapped) != 2 || !slices.Contains([]int{7, 8}, mapped[0].ContainerPort) {
		t.Errorf("mapped: %+v", mapped)
	}
}

// A mapping that the runtime dropped without a word: where the recipe leaves the choice a
// relay takes its place, else it is an error.
func TestRelayInsteadOfADeadMapping(t *testing.T) {
	for via, want := range map[portfwd.Via]error{portfwd.Auto: nil, portfwd.HostPort: ErrForward} {
		t.Run(string(via), func(t *testing.T) {
			r := newRig(t)
			withAgents(t, r)
			mc := r.up(t, "demo")
			port := greeter(t, mc.Address, 0, "hello")
			dead := portfwd.Forward{Address: forwardFor(portfwd.Spec{}).Address, GuestPort: port, Protocol: portfwd.TCP}
			var err error
			if dead.HostPort, err = portfwd.Free(0, dead, nil); err != nil {
				t.Fatal(err)
			}
			h, err := r.open("demo")
			if err != nil {
				t.Fatal(err)
			}
			h.recipe.Ports = append(h.recipe.Ports, recipe.Port{Guest: port, Protocol: recipe.TCP, Via: string(via)})
			w := &watch{m: r.Manager, h: h, address: mc.Address, forwards: []portfwd.Forward{dead}}
			if err := w.testForwards(t.Context()); !errors.Is(err, want) {
				t.Fatalf("%v, want %v", err, want)
			}
			if got, err := greeting(dead); (got == "hello") != (want == nil) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
