package containerd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cgroupRoot is where cgroups are mounted: one tree, or with version 1 a tree for
// each controller.
const cgroupRoot = "/sys/fs/cgroup"

// podParents are the cgroups under which pods are: the one that machines ask for,
// and containerd's own default.
func podParents() []string { return []string{"vmctl", "vmctl.slice", criNamespace} }

// removeCgroups removes the empty cgroups of these pods and containers, and the
// machines' common one if that is empty too. systemd's vmctl.slice stays, empty: to
// stop it would kill what another instance has just begun in it.
func removeCgroups(ids []string) error {
	var all error
	for _, tree := range []string{cgroupRoot, filepath.Join(cgroupRoot, "*")} {
		for _, parent := range podParents() {
			for _, id := range ids {
				for _, name := range []string{id, "cri-containerd-" + id + ".scope"} {
					all = errors.Join(all, removeCgroup(filepath.Join(tree, parent, name)))
				}
			}
		}
		all = errors.Join(all, removeCgroup(filepath.Join(tree, "vmctl")))
	}
	return all
}

// removeCgroup removes the cgroups that match. One that is in use stays: it is
// another instance's.
func removeCgroup(pattern string) error {
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	var all error
	for _, dir := range dirs {
		err := os.Remove(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY) {
			all = errors.Join(all, fmt.Errorf("remove cgroup: %w", err))
		}
	}
	return all
}
