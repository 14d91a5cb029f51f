package machine

import (
	"context"
	"errors"
	"slices"
	"sync"

	"vmctl/internal/portfwd"
)

// PortState says whether a forward is there.
type PortState string

// The states of a forward.
const (
	PortLive PortState = "live" // it is served, by the runtime's mapping or by the machine's agent
	PortDown PortState = "down" // the machine is not up
	PortDead PortState = "dead" // the agent that should serve it is gone, and does not start
)

// PortInfo is one forward of a machine.
type PortInfo struct {
	Machine string
	portfwd.Forward
	Exposure string // as Machine.Exposure tells
	State    PortState
	Stats    *portfwd.Stats  // of a live one that an agent serves; else nil
	Check    *portfwd.Result // if it was asked for
}

// Ports tells of all forwards of a machine, or of all machines where name is "": those of
// its start and those that were added. With check, each of a machine that is up is tried.
func (m *Manager) Ports(ctx context.Context, name string, check bool) ([]PortInfo, error) {
	var machines []Machine
	var err error
	if name == "" {
		machines, err = m.List(ctx)
	} else {
		var one Machine
		one, err = m.Show(ctx, name)
		machines = []Machine{one}
	}
	if err != nil {
		return nil, err
	}
	var out []PortInfo
	for _, mc := range machines {
		ports := m.PortsOf(ctx, mc)
		if check && mc.Phase.Up() {
			m.checkPorts(ctx, mc, ports)
		}
		out = append(out, ports...)
	}
	return out, ctx.Err()
}

// PortsOf joins what the machine was started with and what its agent serves, which wins:
// a relay may have taken the place of a mapping.
func (m *Manager) PortsOf(ctx context.Context, mc Machine) []PortInfo {
	var served []portfwd.Status
	if m.Agents != nil && mc.UID != "" {
		var err error
		if served, err = m.Agents.List(ctx, mc.UID); err != nil {
			m.log().Warn("the process that forwards ports does not start", "machine", mc.Name, "error", err)
		}
	}
	var out []PortInfo
	for _, f := range mc.Forwards {
		info := PortInfo{Machine: mc.Name, Forward: f, State: PortLive}
		i := slices.IndexFunc(served, func(s portfwd.Status) bool { return overlaps(s.Forward, f) && s.GuestPort == f.GuestPort })
		switch {
		case i >= 0:
			info.Via, info.Why, info.Stats = served[i].Via, served[i].Why, &served[i].Stats
			served = slices.Delete(slices.Clone(served), i, i+1)
		case !mc.Phase.Up():
			info.State = PortDown
		case f.Via.Ours():
			info.State = PortDead
		default:
			info.Via, info.Why = portfwd.HostPort, itMaps
		}
		out = append(out, info)
	}
	for _, s := range served {
		out = append(out, PortInfo{Machine: mc.Name, Forward: s.Forward, State: PortLive, Stats: &s.Stats})
	}
	for i := range out {
		out[i].Exposure = mc.Exposure(out[i].Forward)
	}
	return out
}

// checkPorts tries the ports side by side.
func (m *Manager) checkPorts(ctx context.Context, mc Machine, ports []PortInfo) {
	address := mc.Address
	if pod, err := m.podOf(ctx, mc.UID); err == nil && pod.Address.IsValid() {
		address = pod.Address.String()
	} else if err != nil && !errors.Is(err, portfwd.ErrNoPod) {
		m.log().Warn("the pod's address is not known", "machine", mc.Name, "error", err)
	}
	mode, userPorts := modeUnknown, ""
	if h, err := m.open(mc.Name); err == nil {
		mode, userPorts = h.networkMode(), h.userPorts()
	}
	probe := portfwd.Probe{Settle: mode == modeUser}
	var wg sync.WaitGroup
	for i := range ports {
		wg.Go(func() {
			r := explainSilence(probe.Test(ctx, ports[i].Forward, address), mode, mc.Phase, userPorts)
			if ports[i].State == PortDead {
				r.State, r.Hop, r.Detail = portfwd.Broken, portfwd.HopHost, "the process that listens is gone"
				r.Hint = "start it again with: vmctl up " + mc.Name
			}
			ports[i].Check = &r
		})
	}
	wg.Wait()
}
