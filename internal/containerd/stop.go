package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// reviveLimit is how long a daemon may take that is started only to clear away
// what an earlier one left behind.
const reviveLimit = 30 * time.Second

// Stop ends the runtime and clears away everything that lives as long as it does:
// pods, shims, mounts, network namespaces, the bridge, iptables rules, sockets and
// the state directory. What lies in its root stays: the images, the configuration
// and the subnet. Stopping what does not run is success, and clears away what a
// daemon that was killed has left. The switch ip_forward, which the plugin bridge
// turns on, stays on: others may rely on it by now.
//
// It is a power cut for machines that still run: shut them down first.
//
// Without root the error is ErrNotRoot. If ctx ends while pods are removed, the
// daemon goes on. A Stop that failed may be repeated.
func (i *Instance) Stop(ctx context.Context) error {
	if err := i.NeedRoot("stop"); err != nil {
		return err
	}
	if _, err := os.Stat(i.paths.root); errors.Is(err, fs.ErrNotExist) {
		return nil // never started
	}
	release, err := lockDir(ctx, i.paths.root)
	if err != nil {
		return err
	}
	defer release()
	if err := i.stop(ctx); err != nil {
		return fmt.Errorf("stop private runtime %q: %w", i.Name(), err)
	}
	return nil
}

// stop removes the pods the way they were made, through CRI, so that the CNI
// plugins undo what they did, and then looks for what is left.
func (i *Instance) stop(ctx context.Context) error {
	ids := i.containerIDs() // while it is known which there were
	p, ok := readProcess(i.paths.process)
	running := ok && p.alive()
	if !running && i.hasLeftovers() {
		p, running = i.revive(ctx, p)
	}
	if running {
		if err := i.removePods(ctx); err != nil {
			i.log.Warn("not all pods could be removed by the runtime: clearing away by hand", "error", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := i.endDaemon(context.WithoutCancel(ctx), p); err != nil {
			return err
		}
	}
	return i.sweep(context.WithoutCancel(ctx), ids)
}

// revive starts the daemon again over what its predecessor left: the same
// executable on the same configuration. It is no error if that does not work out:
// there are other ways to clear away.
func (i *Instance) revive(ctx context.Context, last process) (process, bool) {
	ctx, cancel := context.WithTimeout(ctx, reviveLimit)
	defer cancel()
	b, err := i.findBinaries(ctx)
	if err == nil && executable(last.Containerd) {
		b.containerd, b.version = last.Containerd, last.Version
	}
	if err == nil && i.savedLAN() != "" {
		err = i.startDHCP(b.plugins) // pods give their addresses back
	}
	var p process
	if err == nil {
		p, err = i.spawn(ctx, b)
	}
	if err == nil {
		_, err = i.waitReady(ctx, p)
	}
	if err != nil {
		i.log.Warn("containerd cannot be started to remove its pods", "error", err)
	}
	return p, p.alive()
}

// hasLeftovers tells whether a daemon that is gone has left something that it would
// better clear away itself.
func (i *Instance) hasLeftovers() bool {
	mounts, err := mountsBelow(i.paths.state)
	return err != nil || len(mounts) > 0 || len(i.containerIDs()) > 0 || len(i.shims()) > 0
}
