package machine

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"vmctl/internal/cri"
)

// pod is one sandbox with the containers in it.
type pod struct {
	cri.Sandbox
	containers []cri.Container
}

// container returns the machine's container, the newest if there were several.
func (p pod) container() (cri.Container, bool) {
	var newest cri.Container
	found := false
	for _, c := range p.containers {
		if c.Name == containerName && (!found || c.CreatedAt.After(newest.CreatedAt)) {
			newest, found = c, true
		}
	}
	return newest, found
}

// survey is what the runtime holds, asked once: all sandboxes, for ports and
// disks may collide with machines of other users.
type survey struct {
	pods []pod
}

// survey asks the runtime with two calls, however many machines there are.
func (m *Manager) survey(ctx context.Context) (survey, error) {
	sandboxes, err := m.Runtime.ListSandboxes(ctx, cri.SandboxFilter{})
	if err != nil {
		return survey{}, err
	}
	containers, err := m.Runtime.ListContainers(ctx, cri.ContainerFilter{})
	if err != nil {
		return survey{}, err
	}
	bySandbox := map[string][]cri.Container{}
	for _, c := range containers {
		bySandbox[c.SandboxID] = append(bySandbox[c.SandboxID], c)
	}
	var s survey
	for _, sb := range newestFirst(sandboxes) {
		s.pods = append(s.pods, pod{Sandbox: sb, containers: bySandbox[sb.ID]})
	}
	s.pods = m.sweepErrands(ctx, s.pods)
	return s, nil
}

// of returns the pods of the machine with this uid, the newest first.
func (s survey) of(uid string) []pod {
	var out []pod
	for _, p := range s.pods {
		if p.Labels[LabelUID] == uid {
			out = append(out, p)
		}
	}
	return out
}

// named returns the newest of our pods whose machine has this name.
func (s survey) named(name string) (pod, bool) {
	for _, p := range s.pods {
		if ours(p.Labels) && p.Labels[LabelMachine] == name {
			return p, true
		}
	}
	return pod{}, false
}

// foreign returns a pod that bears the machine's name in our namespace and was
// not made by vmctl.
func (s survey) foreign(name string) (pod, bool) {
	for _, p := range s.pods {
		if p.Name == name && p.Namespace == sandboxNamespace && !ours(p.Labels) {
			return p, true
		}
	}
	return pod{}, false
}

// onDisk returns a pod of another machine that runs on the same directory or device,
// for its first disk or a further one.
func (s survey) onDisk(path, uid string) (pod, bool) {
	for _, p := range s.pods {
		used := append(strings.Split(p.Annotations[annotationDisks], "\n"), p.Annotations[annotationStorage])
		if p.Labels[LabelUID] != uid && slices.Contains(used, path) && p.live() {
			return p, true
		}
	}
	return pod{}, false
}

// live reports whether something of the pod may still run.
func (p pod) live() bool {
	if p.State == cri.SandboxReady {
		return true
	}
	for _, c := range p.containers {
		if mayRun(c.State) {
			return true
		}
	}
	return false
}

// mayRun tells whether something may run in a container of this state. A runtime
// calls unknown what it could not ask after its own restart; QEMU may be in it.
func mayRun(s cri.ContainerState) bool {
	return s == cri.ContainerRunning || s == cri.ContainerUnknown
}

// grace is what the pod was started with. Without that note it is the Windows
// image's, the longest.
func (p pod) grace() time.Duration {
	seconds, err := strconv.Atoi(p.Annotations[annotationGrace])
	if err != nil || seconds <= 0 {
		return 120 * time.Second
	}
	return time.Duration(seconds) * time.Second
}

// nextAttempt is the lowest attempt number that no pod of this machine has: the
// runtime keeps a name reserved until its sandbox is removed.
func (s survey) nextAttempt(uid string) uint32 {
	var next uint32
	for _, p := range s.of(uid) {
		next = max(next, p.Attempt+1)
	}
	return next
}
