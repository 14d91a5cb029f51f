package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// A machine that starts claims the folders of its disks, and gives them back when its
// container has ended. QEMU's own lock (see diskLocked) is the first wall, and comes late: an
// image downloads, converts and moves disks before it runs QEMU. The runtime's list (see
// diskInUse) is the second, and knows nothing of other runtimes. The claim is in the folder.
//
// It is held while the container's first process lives. After a reboot, or once that process
// is gone, it is nobody's, so what a crash leaves never stays in the way. Where only the
// vmctl is noted that was to start the container, and that is gone, its runtime is asked.

// claimPaths are the folders with the machine's own disks, not the copies of an ephemeral
// run. A device has no place for a claim: there the runtime's list counts.
func (h *handle) claimPaths() []string {
	if h.recipe == nil {
		return nil
	}
	own := *h
	own.rec.Ephemeral = false
	var out []string
	for _, path := range append(own.diskPaths(), own.storagePath()) {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			out = append(out, path)
		}
	}
	return out
}

// claimDisks takes the folders of a machine whose lock is held and of which this runtime has
// no pod. ErrPhase where somebody else has one of them; then none is taken. In a folder that
// this user may not write to there is no claim, and a note says so: the disks are another's,
// and to refuse would end a machine that worked.
func (m *Manager) claimDisks(ctx context.Context, h *handle, report Reporter) error {
	mine := m.newClaim(h)
	for _, path := range h.claimPaths() {
		err := storage.EditClaim(path, func(c *storage.Claim) (*storage.Claim, error) {
			return mine, m.claimHeld(ctx, h, path, c)
		})
		if errors.Is(err, fs.ErrPermission) {
			report.note("another user's vmctl is not kept from the disk in " + path + ", as this user may not write there")
			continue
		}
		if err != nil {
			return errors.Join(err, h.unclaim())
		}
	}
	return nil
}

// newClaim is this process's, for a container that is not there yet.
func (m *Manager) newClaim(h *handle) *storage.Claim {
	return &storage.Claim{Machine: h.name, UID: h.rec.UID, Dir: h.dir.Path(), User: userName(),
		Endpoint: m.Runtime.Endpoint(), Host: hostID(), BootID: bootID(), Starter: thisProcess().String()}
}

// claimContainer notes in the claims which process they are now for.
func (m *Manager) claimContainer(ctx context.Context, h *handle, container string) {
	ctx, cancel := detach(ctx, m.patience())
	defer cancel()
	pid, err := m.Runtime.ContainerPID(ctx, container)
	if err != nil || pid == 0 || began(pid) == "" { // then its runtime is to be asked
		m.log().Info("the runtime does not tell the container's process", "machine", h.name, "pid", pid, "error", err)
		return
	}
	first := process{pidNamespace(), pid, began(pid)}.String()
	for _, path := range h.claimPaths() {
		err := storage.EditClaim(path, func(c *storage.Claim) (*storage.Claim, error) {
			if c == nil || !h.claims(c) {
				return c, nil
			}
			now := *c
			now.Container = first
			return &now, nil
		})
		if err != nil {
			m.log().Warn("the claim on a disk does not name its container", "path", path, "error", err)
		}
	}
}

// claims reports whether a claim is this machine's: a copy of its directory has its uid too.
func (h *handle) claims(c *storage.Claim) bool { return c.UID == h.rec.UID && c.Dir == h.dir.Path() }

// unclaim gives the folders back. Where the container of this machine still runs although
// the runtime has no pod of it, that is ErrPhase, and the claim stays.
func (h *handle) unclaim() error {
	var all error
	for _, path := range h.claimPaths() {
		err := storage.EditClaim(path, func(c *storage.Claim) (*storage.Claim, error) {
			if c == nil || !h.claims(c) {
				return c, nil
			}
			return nil, claimRuns(path, c)
		})
		if !errors.Is(err, fs.ErrPermission) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// claimRuns is ErrPhase where the container of a claim is known and runs.
func claimRuns(path string, c *storage.Claim) error {
	if c.Container == "" || c.Host != hostID() || c.BootID != bootID() {
		return nil
	}
	p := parseProcess(c.Container)
	if !p.alive() {
		return nil
	}
	err := fmt.Errorf("%w: the container of machine %q (user %s) still runs on the disk in %s, as process %d", ErrPhase, c.Machine, c.User, path, p.pid)
	return hint.With(err, "stop it where it was started: vmctl --runtime-endpoint %s stop %s; a runtime that has lost it cannot: shut the guest down from inside, or with sudo kill -TERM %d", c.Endpoint, c.Machine, p.pid)
}

// claimHeld is ErrPhase where a claim keeps this machine from the folder.
func (m *Manager) claimHeld(ctx context.Context, h *handle, path string, c *storage.Claim) error {
	switch {
	case c == nil:
		return nil
	case c.Host != hostID():
		err := fmt.Errorf("%w: machine %q (user %s) was started on the disk in %s from another host", ErrPhase, c.Machine, c.User, path)
		return hint.With(err, "where it does not run there any more: rm %s/%s", path, storage.ClaimFile)
	case c.BootID != bootID():
		return nil
	case c.Container != "":
		return claimRuns(path, c)
	case h.claims(c): // this machine's lock is held, and its runtime has no pod
		return nil
	case parseProcess(c.Starter).alive():
		err := fmt.Errorf("%w: machine %q (user %s) is being started on the disk in %s, or runs on it", ErrPhase, c.Machine, c.User, path)
		return hint.With(err, "wait for process %d, or stop the machine: vmctl --runtime-endpoint %s stop %s", parseProcess(c.Starter).pid, c.Endpoint, c.Machine)
	}
	return m.askClaim(ctx, path, c)
}

// askClaim asks the runtime of a claim whose vmctl has ended before it noted a container.
func (m *Manager) askClaim(ctx context.Context, path string, c *storage.Claim) error {
	there := *m
	if c.Endpoint != m.Runtime.Endpoint() {
		client, err := cri.Dial(ctx, c.Endpoint)
		if err != nil {
			err := fmt.Errorf("%w: machine %q (user %s) was being started on the disk in %s, and its runtime cannot be asked: %w", ErrPhase, c.Machine, c.User, path, err)
			return hint.With(err, "start that runtime; or, where nothing of it runs: rm %s/%s", path, storage.ClaimFile)
		}
		defer client.Close()
		there.Runtime = client
	}
	s, err := there.survey(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.of(c.UID) {
		if p.live() {
			err := fmt.Errorf("%w: machine %q (user %s) runs on the disk in %s (sandbox %.13s of %s)", ErrPhase, c.Machine, c.User, path, p.ID, c.Endpoint)
			return hint.With(err, "stop that machine first: vmctl --runtime-endpoint %s stop %s", c.Endpoint, c.Machine)
		}
	}
	return nil
}

// hostID is this host's, as in machine-id(5): a boot ID alone does not tell a host that was
// booted anew from another one on the same network file system.
func hostID() string {
	data, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Getuid())
}
