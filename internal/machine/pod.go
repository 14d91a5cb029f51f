package machine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

// runPod makes the sandbox and the container and starts it. After an error nothing
// of them stays. started is told the container's ID.
func (m *Manager) runPod(ctx context.Context, p plan, image, handler string, started func(id string)) error {
	sandbox := p.sandboxConfig()
	id, err := m.Runtime.RunSandbox(ctx, sandbox, handler)
	if err != nil && p.recipe.Network == recipe.NetworkLAN {
		return explainLAN(err)
	}
	if err != nil {
		return explainRun(err)
	}
	m.isolate(ctx, id, sandbox, p.recipe)
	if err := m.runContainer(ctx, id, p.containerConfig(image), sandbox, started); err != nil {
		m.discard(ctx, id, grace(p.recipe))
		return explainRun(err)
	}
	return nil
}

func (m *Manager) runContainer(ctx context.Context, sandboxID string, c cri.ContainerConfig, s cri.SandboxConfig, started func(id string)) error {
	id, err := m.Runtime.CreateContainer(ctx, sandboxID, c, s)
	if err != nil {
		return err
	}
	startErr := m.Runtime.StartContainer(ctx, id)
	if startErr == nil {
		started(id)
		return nil
	}
	// The answer may be lost and the container run all the same.
	check, cancel := detach(ctx, cleanupTime)
	defer cancel()
	status, err := m.Runtime.Container(check, id)
	switch {
	case err == nil && status.State == cri.ContainerRunning:
		started(id)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && status.Message != "":
		return fmt.Errorf("start container: %s", oneLine(status.Message))
	}
	return startErr
}

// discard removes a pod whose start went wrong. Should its container run after all,
// it gets its grace like any other.
func (m *Manager) discard(ctx context.Context, sandboxID string, grace time.Duration) {
	ctx, cancel := detach(ctx, grace+cleanupTime)
	defer cancel()
	containers, err := m.Runtime.ListContainers(ctx, cri.ContainerFilter{SandboxID: sandboxID})
	if err == nil {
		for _, c := range containers {
			if mayRun(c.State) {
				err = m.Runtime.StopContainer(ctx, c.ID, grace)
			}
		}
	}
	if err == nil {
		err = m.removeSandbox(ctx, sandboxID)
	}
	if err != nil && !errors.Is(err, cri.ErrUnavailable) { // a runtime that is gone is what the user hears of anyway
		m.log().Warn("a sandbox whose start went wrong was not removed", "sandbox", sandboxID, "error", err)
	}
}

// removePod ends a pod in the one order that is safe for the disk: the container
// with its grace, then the sandbox, then its removal.
//
// The grace is that of the pod's own start: a recipe that was changed since does not
// count. What is in the pod is asked anew, for the survey may be old.
func (m *Manager) removePod(ctx context.Context, p pod, report Reporter) error {
	containers, err := m.Runtime.ListContainers(ctx, cri.ContainerFilter{SandboxID: p.ID})
	if err != nil {
		return err
	}
	for _, c := range containers {
		if !mayRun(c.State) {
			continue
		}
		if err := m.stopContainer(ctx, c.ID, p.grace(), report); err != nil {
			return err
		}
	}
	// From here on nothing waits for the guest, and half a removal helps nobody.
	done, cancel := detach(ctx, cleanupTime)
	defer cancel()
	return m.removeSandbox(done, p.ID)
}

func (m *Manager) removeSandbox(ctx context.Context, id string) error {
	if err := m.Runtime.StopSandbox(ctx, id); err != nil {
		return err
	}
	return m.Runtime.RemoveSandbox(ctx, id)
}

// explainRun adds the way out where the runtime's words are known to hide it.
func explainRun(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "can't get final child's PID"), strings.Contains(text, "oom_score_adj"):
		return hint.With(err, "this host lacks CAP_SYS_RESOURCE: set restrict_oom_score_adj = true in the CRI section of containerd's config, or use the private runtime: sudo vmctl runtime start")
	case strings.Contains(text, "cni plugin not initialized"), strings.Contains(text, "failed to setup network"):
		return hint.With(err, "the runtime's CNI network does not work: see vmctl runtime status, or use the private runtime: sudo vmctl runtime start")
	case strings.Contains(text, "cgroupsPath"):
		return hint.With(err, "the runtime uses the systemd cgroup driver and did not say so; please report its version (vmctl runtime status)")
	}
	return err
}
