package machine

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
	"vmctl/internal/viewer"
)

// List returns all machines of the user, by name, and the orphans among the
// runtime's sandboxes. The runtime is asked twice, and once more for each machine
// that is up or has ended; guests that are up are asked for their progress, at the
// same time.
func (m *Manager) List(ctx context.Context) ([]Machine, error) {
	names, err := m.Store.List()
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	for _, name := range names {
		m.sweepEphemeral(ctx, name)
	}
	if names, err = m.Store.List(); err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	s, err := m.survey(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Machine, len(names))
	known := map[string]bool{}
	var wg sync.WaitGroup
	slots := make(chan struct{}, listWorkers)
	for i, name := range names {
		h, err := m.open(name)
		if err != nil {
			out[i] = Machine{Name: name, Phase: Failed, Reason: oneLine(err.Error()), Percent: -1}
			if h, err := m.openAny(name); err == nil {
				out[i].Directory, out[i].UID = h.dir.Path(), h.rec.UID
				known[h.rec.UID] = true
				// Whatever its files say: if it has a sandbox, it can be stopped.
				if pods := s.of(h.rec.UID); len(pods) > 0 {
					out[i].SandboxID = pods[0].ID
					if c, ok := pods[0].container(); ok {
						out[i].ContainerID = c.ID
					}
				}
			}
			continue
		}
		known[h.rec.UID] = true
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out[i] = m.observe(ctx, h, s.of(h.rec.UID), false)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out = append(out, m.orphans(s, known)...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// listWorkers is how many machines List looks at at once.
const listWorkers = 16

// viewerPatience is how long a guest may take to say how far it is: a list must
// not wait for a hanging guest.
const viewerPatience = 700 * time.Millisecond

// Show returns one machine, with its sandbox's address.
func (m *Manager) Show(ctx context.Context, name string) (Machine, error) {
	s, err := m.survey(ctx)
	if err != nil {
		return Machine{}, err
	}
	h, err := m.open(name)
	if err == nil {
		return m.observe(ctx, h, s.of(h.rec.UID), true), nil
	}
	if p, ok := s.named(name); ok && errors.Is(err, ErrNotFound) {
		return orphan(p), nil
	}
	return Machine{}, err
}

// describe is what the directory alone tells.
func (m *Manager) describe(h *handle) Machine {
	r := h.recipe
	mc := Machine{
		Name: h.name, UID: h.rec.UID, Phase: Stopped, Reason: h.rec.Because, Guest: r.Guest, Summary: r.Summary, Image: r.Image, RunsOn: h.rec.Image.short(),
		CPUs: r.Resources.CPUs.String(), Memory: r.Resources.Memory.String(), Disk: r.Resources.Disk.String(),
		CreatedAt: h.rec.CreatedAt, Installed: m.installed(h), Protected: h.rec.Protected, ViewerProtected: r.Viewer.Protect, Percent: -1,
		Directory: h.dir.Path(), Storage: h.storagePath(), Log: h.logPath(),
	}
	for _, port := range r.Ports {
		f, err := forwardOf(port)
		if err != nil {
			continue // Parse has refused it
		}
		f.HostPort = port.Host.Number
		for _, known := range h.rec.Ports {
			if known.Guest == f.GuestPort && known.Protocol == f.Protocol && port.Host.Mode != recipe.HostPortExact {
				f.HostPort = known.Host
			}
		}
		mc.Forwards = append(mc.Forwards, f)
	}
	return mc
}

// observe joins the directory with what the runtime and the guest say.
func (m *Manager) observe(ctx context.Context, h *handle, pods []pod, withAddress bool) Machine {
	mc := m.describe(h)
	if len(pods) == 0 {
		return mc
	}
	p := pods[0]
	mc.SandboxID = p.ID
	if forwards, err := decodePorts(p.Annotations[annotationPorts]); err == nil && len(forwards) > 0 {
		mc.Forwards = forwards
	}
	e := evidence{sandbox: true, ready: p.State == cri.SandboxReady, intent: h.rec.Intent, installed: mc.Installed,
		viewer: viewer.Status{Percent: -1}}
	if c, ok := p.container(); ok {
		mc.ContainerID = c.ID
		status, err := m.Runtime.Container(ctx, c.ID)
		if errors.Is(err, cri.ErrNotFound) { // it was removed since the runtime was asked
			mc.SandboxID, mc.ContainerID = "", ""
			return mc
		}
		if err != nil {
			mc.Phase, mc.Reason = Failed, oneLine(err.Error())
			return mc
		}
		e.container = &status
		mc.StartedAt = status.StartedAt
	}
	m.question(ctx, h, &e, mc)
	if withAddress {
		if status, err := m.Runtime.Sandbox(ctx, p.ID); err == nil {
			mc.Address = status.IP
		}
	}
	phase, report := judge(e)
	mc.Phase, mc.Fix, mc.Exit = phase, report.fix, report.text
	mc.Paused = h.rec.Paused && phase.Up()
	mc.Ephemeral = h.rec.Ephemeral && phase.Up()
	if phase == Failed || report.text != "" && e.container.ExitCode == exitUnknown {
		mc.Reason = report.text
	}
	if phase == Starting || phase == Installing {
		mc.Progress, mc.Percent = e.viewer.Text, e.viewer.Percent
	}
	return mc
}

// question asks the guest how far it is, or its log why it ended.
func (m *Manager) question(ctx context.Context, h *handle, e *evidence, mc Machine) {
	if e.container == nil {
		return
	}
	switch e.container.State {
	case cri.ContainerExited:
		e.log = tailLog(ctx, h.logPath())
	case cri.ContainerRunning:
		base := mc.ViewerURL()
		if base == "" {
			e.viewer.State = viewer.Ready // it has no screen that we could ask
			return
		}
		ctx, cancel := context.WithTimeout(ctx, viewerPatience)
		defer cancel()
		if status, err := m.askGuest(ctx, base, h.recipe, mc.ContainerID); err == nil {
			e.viewer = status
		}
	}
}

// orphans are machines that only the runtime knows, each once.
func (m *Manager) orphans(s survey, known map[string]bool) []Machine {
	var out []Machine
	for _, p := range s.pods {
		uid := p.Labels[LabelUID]
		if !ours(p.Labels) || known[uid] {
			continue
		}
		known[uid] = true
		out = append(out, orphan(p))
	}
	return out
}

func orphan(p pod) Machine {
	mc := Machine{Name: p.Labels[LabelMachine], UID: p.Labels[LabelUID], Phase: Stopped, SandboxID: p.ID,
		CreatedAt: p.CreatedAt, Storage: p.Annotations[annotationStorage], Percent: -1,
		Reason: "no directory of this user belongs to this sandbox: another user's machine, or one whose directory was removed"}
	if c, ok := p.container(); ok {
		mc.ContainerID, mc.Image = c.ID, c.Image
		if mayRun(c.State) {
			mc.Phase = Running
		}
	}
	if forwards, err := decodePorts(p.Annotations[annotationPorts]); err == nil {
		mc.Forwards = forwards
	}
	return mc
}
