package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// ownLimit bounds how long the files of a machine may take to change hands.
const ownLimit = 2 * time.Minute

// owning does something with a machine's files whose lock is held. What another user has,
// as a container's root, is first given to this one, in an errand, and then it is done again:
// so copies, removals and their progress are the same for everybody. Nothing may run on the
// disks. Where there is no runtime to do it, the first error stays.
func (m *Manager) owning(ctx context.Context, dir *storage.Dir, report Reporter, do func() error) error {
	err := do()
	var denied *storage.DeniedError
	if !errors.As(err, &denied) || m.Runtime == nil || m.Program == nil {
		return err
	}
	if ownErr := m.own(ctx, dir, report); ownErr != nil {
		return hint.With(fmt.Errorf("%w; and to take them over: %w", err, ownErr), "%s", hint.Of(err))
	}
	return do()
}

// own gives the files in a machine's directory to the owner of the directory, who is the
// user: the images themselves do so with what they make (qemus/qemu src/utils.sh setOwner).
func (m *Manager) own(ctx context.Context, dir *storage.Dir, report Reporter) error {
	report.report(Progress{Stage: StageOwn, Percent: -1})
	result, err := m.RunErrand(ctx, Errand{
		Args:    []string{"errand", "own", dir.Path()},
		Sandbox: cri.SandboxConfig{LogDirectory: dir.LogsPath()},
		Mounts:  []cri.Mount{{HostPath: dir.Path(), ContainerPath: dir.Path()}},
		Holds:   []string{dir.StoragePath()},
		Limit:   ownLimit,
	})
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("exit code %d: %s", result.ExitCode, result.Output)
	}
	return err
}
