package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vmctl/internal/cri"
)

// Errand is a short piece of work that needs root: a hidden command of vmctl's own program,
// in a container that is made for it and removed at its end.
type Errand struct {
	Args  []string // of vmctl
	Image string   // one that the runtime has; "" is any
	// Pod is the ID of the sandbox to run in, which was made from Sandbox; "" is a small
	// one of its own, of which Sandbox needs the LogDirectory alone.
	Pod        string
	Sandbox    cri.SandboxConfig
	Mounts     []cri.Mount
	Privileged bool     // only where the sandbox is, too
	Capability string   // one that it needs where it is not privileged: "NET_ADMIN"
	Holds      []string // disks that no guest may have meanwhile
	Limit      time.Duration
}

// ErrandResult is how an errand ended.
type ErrandResult struct {
	ExitCode int
	Output   string // both streams, without the last line feed
}

// The name and the log of an errand's container, and where in it vmctl is. The sandboxes
// have a namespace of their own: a machine may have any name.
const (
	errandName      = "errand"
	errandLog       = "errand.log"
	errandProgram   = "/vmctl"
	errandNamespace = "vmctl-errands"

	// LabelErrand marks what is there for an errand, with its owner: see process.
	LabelErrand = "io.vmctl.errand"
)

// RunErrand runs an errand to its end. An exit code other than 0 is no error; the error is
// ErrTimeout when the limit has passed. Whatever happens, nothing of the errand runs when it
// returns; what a killed vmctl has left, the next command removes: see sweepErrands.
func (m *Manager) RunErrand(ctx context.Context, e Errand) (result ErrandResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.Limit)
	defer cancel()
	program, err := m.program()
	if err != nil {
		return result, err
	}
	if e.Pod == "" {
		remove, err := m.errandPod(ctx, &e)
		if err != nil {
			return result, fmt.Errorf("a pod for a short errand: %w", err)
		}
		defer func() { err = errors.Join(err, remove()) }()
	}
	if e.Image, err = m.errandImage(ctx, e.Image); err != nil {
		return result, err
	}
	log := filepath.Join(e.Sandbox.LogDirectory, errandLog)
	if err := emptyLog(log); err != nil {
		return result, err
	}
	defer os.Remove(log)
	result, err = m.runErrand(ctx, e, program, log)
	if errors.Is(errors.Join(err, ctx.Err()), context.DeadlineExceeded) { // the runtime's client may see it first
		err = errors.Join(fmt.Errorf("%w: vmctl %s took longer than %s", ErrTimeout, strings.Join(e.Args, " "), e.Limit), err)
	}
	return result, err
}

// program is the file of vmctl itself, which must run in any image.
func (m *Manager) program() (string, error) {
	if m.Program == nil {
		return "", errors.New("vmctl's own program is not known")
	}
	path, err := m.Program()
	if err != nil {
		return "", err
	}
	return path, static(path)
}

// errandPod makes the sandbox of an errand that names none.
func (m *Manager) errandPod(ctx context.Context, e *Errand) (remove func() error, err error) {
	cgroup, err := m.Runtime.CgroupParent(ctx, sandboxNamespace)
	if err != nil {
		return nil, err
	}
	e.Sandbox = cri.SandboxConfig{
		Name: errandName, Namespace: errandNamespace, UID: uuid.NewString(), Hostname: errandName,
		LogDirectory: e.Sandbox.LogDirectory, CgroupParent: cgroup, Privileged: e.Privileged,
		PIDNamespace: cri.NamespaceContainer,
		Labels:       map[string]string{LabelErrand: thisProcess().String()},
		Annotations:  map[string]string{annotationDisks: strings.Join(e.Holds, "\n")},
	}
	if e.Pod, err = m.Runtime.RunSandbox(ctx, e.Sandbox, ""); err != nil {
		return nil, err
	}
	return func() error {
		ctx, cancel := detach(ctx, cleanupTime)
		defer cancel()
		return m.removeSandbox(ctx, e.Pod)
	}, nil
}

// errandImage is the image called name, or the smallest that the runtime has: of a pause
// image, whose sandbox runs, there is always one, and any that vmctl is put into will do.
func (m *Manager) errandImage(ctx context.Context, name string) (string, error) {
	if name != "" {
		ref, err := cri.NormalizeReference(name)
		if err != nil {
			return "", err
		}
		_, err = m.Runtime.Image(ctx, ref)
		return ref, err
	}
	images, err := m.Runtime.ListImages(ctx)
	if err != nil {
		return "", err
	}
	if len(images) == 0 {
		return "", fmt.Errorf("%w: the runtime has no image for a short errand", cri.ErrNotFound)
	}
	return slices.MinFunc(images, func(a, b cri.Image) int { return cmp.Compare(a.Size, b.Size) }).ID, nil
}

// runErrand makes the container, and removes it.
func (m *Manager) runErrand(ctx context.Context, e Errand, program, log string) (result ErrandResult, err error) {
	c := cri.ContainerConfig{
		Name: errandName, Image: e.Image, LogPath: errandLog,
		Command:    append([]string{errandProgram}, e.Args...),
		Mounts:     append([]cri.Mount{{HostPath: program, ContainerPath: errandProgram, ReadOnly: true}}, e.Mounts...),
		Labels:     map[string]string{LabelErrand: thisProcess().String()},
		Privileged: e.Privileged, Root: true, PIDNamespace: cri.NamespaceContainer,
	}
	if e.Capability != "" && !e.Privileged {
		c.Capabilities = []string{e.Capability}
	}
	id, err := m.Runtime.CreateContainer(ctx, e.Pod, c, e.Sandbox)
	if err != nil {
		return result, err
	}
	defer func() {
		done, cancel := detach(ctx, cleanupTime)
		defer cancel()
		err = errors.Join(err, m.Runtime.StopContainer(done, id, 0), m.Runtime.RemoveContainer(done, id))
	}()
	if err := m.Runtime.StartContainer(ctx, id); err != nil {
		return result, err
	}
	for {
		status, err := m.Runtime.Container(ctx, id)
		if err != nil {
			return result, err
		}
		if status.State == cri.ContainerExited {
			output, err := readErrandLog(ctx, log)
			return ErrandResult{status.ExitCode, output}, err
		}
		if err := sleep(ctx, m.pollInterval()/20); err != nil {
			return result, err
		}
	}
}

// readErrandLog gathers what an errand has printed.
func readErrandLog(ctx context.Context, log string) (string, error) {
	var lines []string
	err := cri.ReadLog(ctx, log, cri.LogOptions{}, func(l cri.LogLine) error {
		lines = append(lines, l.Text)
		return nil
	})
	return strings.Join(lines, "\n"), err
}

// sweepErrands removes what a vmctl that was killed has left of its errands, and returns
// the pods that stay. Where that does not succeed the pods show that their disks are in use.
func (m *Manager) sweepErrands(ctx context.Context, pods []pod) []pod {
	var stay []pod
	for _, p := range pods {
		if stale(p.Labels) {
			err := m.removeSandbox(ctx, p.ID)
			if err == nil {
				continue
			}
			m.log().Warn("an errand that was left over was not removed", "sandbox", p.ID, "error", err)
		}
		for _, c := range p.containers {
			if !stale(c.Labels) {
				continue
			}
			if err := errors.Join(m.Runtime.StopContainer(ctx, c.ID, 0), m.Runtime.RemoveContainer(ctx, c.ID)); err != nil {
				m.log().Warn("an errand that was left over was not removed", "container", c.ID, "error", err)
			}
		}
		stay = append(stay, p)
	}
	return stay
}

// stale tells of labels whether they are an errand's whose vmctl is gone.
func stale(labels map[string]string) bool {
	owner, ok := labels[LabelErrand]
	return ok && !parseProcess(owner).alive()
}
