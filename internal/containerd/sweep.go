package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
)

// sweep clears away by hand whatever the daemon has not. Mostly there is little to
// do: the bridge, and chains of iptables that the CNI plugins never remove. Each
// step is tried, whatever became of the one before. The pods and containers that
// there were are named by ids.
func (i *Instance) sweep(ctx context.Context, ids []string) error {
	defer i.forgetUnits(ctx)
	return errors.Join(
		i.killContainers(ctx),
		i.killAll(ctx, append(i.shims(), i.orphans()...)),
		i.endDHCP(ctx),
		unmountBelow(i.paths.state),
		unmountBelow(i.paths.root),
		removeBridge(i.paths.bridge),
		sweepRules(ctx, i.paths.cniName, i.savedSubnet(), i.alone()),
		removeCgroups(ids),
		i.removeResults(ids),
		removeFiles(i.shimSockets(ids)),
		i.removeState(),
	)
}

// alone tells whether no other instance has pods. One that it is just starting must
// not find the plugins' common chains gone between two steps; its network namespace
// is mounted before the plugins are called.
func (i *Instance) alone() bool {
	mounts, err := mountsBelow(statesDir)
	return err == nil && !i.othersAmong(mounts)
}

func (i *Instance) othersAmong(mounts []string) bool {
	return slices.ContainsFunc(mounts, func(point string) bool {
		return point != statesDir && !strings.HasPrefix(point+"/", i.paths.state+"/")
	})
}

// removeBridge deletes the link and what is plugged into it: the kernel deletes a
// pod's link with its namespace, but some time later. One of that name that is no
// bridge is not ours.
func removeBridge(name string) error {
	link, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	if err == nil && link.Type() != "bridge" {
		return nil
	}
	if err == nil {
		removePorts(link.Attrs().Index)
		err = netlink.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("delete bridge %q: %w", name, err)
	}
	return nil
}

// removePorts deletes the links on a bridge. One that goes by itself meanwhile is
// no error, and one that stays is seen when the bridge is looked for.
func removePorts(bridge int) {
	links, err := netlink.LinkList()
	if err != nil {
		return
	}
	for _, link := range links {
		if link.Attrs().MasterIndex == bridge {
			_ = netlink.LinkDel(link)
		}
	}
}

// removeResults removes what libcni remembers of attachments to our network, and of
// our pods to the loopback that each has.
func (i *Instance) removeResults(ids []string) error {
	entries, err := os.ReadDir(cniResultsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var files []string
	for _, entry := range entries {
		network, id := attachment(entry.Name())
		if network == i.paths.cniName || network == "cni-loopback" && slices.Contains(ids, id) {
			files = append(files, filepath.Join(cniResultsDir, entry.Name()))
		}
	}
	return removeFiles(files)
}

// attachment reads a file's name in libcni's cache, NETWORK-CONTAINER-INTERFACE
// (containernetworking/cni: libcni/api.go, getCacheFilePath).
func attachment(name string) (network, container string) {
	m := regexp.MustCompile("^(.+)-([0-9a-f]{64})-[^-]+$").FindStringSubmatch(name)
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}

func removeFiles(files []string) error {
	var all error
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// removeState removes the state directory, but never reaches through a mount into
// something else: a machine's disk might be there.
func (i *Instance) removeState() error {
	mounts, err := mountsBelow(i.paths.state)
	if err != nil {
		return err
	}
	if len(mounts) > 0 {
		return fmt.Errorf("%q is still mounted: %q is kept", mounts[0], i.paths.state)
	}
	return os.RemoveAll(i.paths.state)
}
