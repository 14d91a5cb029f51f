//go:build e2e

package containerd

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
)

// hostView is what a runtime changes on a host.
type hostView struct {
	Mounts, Links, Rules, ShimSockets, CNIResults, Cgroups []string
}

func viewHost(t *testing.T) hostView {
	t.Helper()
	return hostView{
		Mounts:      readMounts(t),
		Links:       readLinks(t),
		Rules:       append(readRules(t, "iptables-save"), readRules(t, "ip6tables-save")...),
		ShimSockets: readNames(t, shimSocketDir),
		CNIResults:  readNames(t, cniResultsDir),
		Cgroups:     readCgroups(t),
	}
}

// compare fails for every mount, link and rule that is there now and was not before.
// What is not ours may go meanwhile.
func (v hostView) compare(t *testing.T, before hostView) {
	t.Helper()
	for what, lists := range map[string][2][]string{
		"mount": {before.Mounts, v.Mounts}, "link": {before.Links, v.Links}, "iptables": {before.Rules, v.Rules},
	} {
		for _, entry := range lists[1] {
			if !slices.Contains(lists[0], entry) {
				t.Errorf("%s left behind: %s", what, entry)
			}
		}
	}
}

// checkGone looks for what names the instance or one of its pods.
func (r *rig) checkGone(t *testing.T, pods []*pod) {
	t.Helper()
	for _, dir := range []string{r.paths.state, r.paths.socket} {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there (%v)", dir, err)
		}
	}
	for _, p := range findProcesses(func(_ int, args []string) bool {
		return slices.ContainsFunc(args, func(arg string) bool {
			return strings.Contains(arg, r.paths.state) || strings.Contains(arg, r.paths.root)
		})
	}) {
		t.Errorf("process %d is still there", p.PID)
	}
	if systemdRuns() {
		units, err := exec.Command("systemctl", "list-units", "--all", "--no-legend", "vmctl-runtime-"+r.Name()+"*").Output()
		if err != nil || len(units) > 0 {
			t.Errorf("units left behind: %s (%v)", units, err)
		}
	}
	after := viewHost(t)
	for _, p := range pods {
		if data, err := os.ReadFile(p.disk); err != nil || string(data) != "sacred" {
			t.Errorf("the machine's disk is %q, %v", data, err)
		}
		if _, err := startOf(p.pid); err == nil {
			t.Errorf("the container's process %d is still there", p.pid)
		}
		for _, id := range []string{p.sandbox, p.container} {
			for _, name := range slices.Concat(after.Cgroups, after.CNIResults) {
				if strings.Contains(name, id) {
					t.Errorf("%s is still there", name)
				}
			}
		}
		for _, socket := range r.shimSockets([]string{p.sandbox, p.container}) {
			if slices.Contains(after.ShimSockets, filepath.Base(socket)) {
				t.Errorf("socket %s is still there", socket)
			}
		}
	}
}

// readMounts lists the mount points; the test's own changes nothing in them.
func readMounts(t *testing.T) []string {
	t.Helper()
	points, err := mountsBelow("") // all of them: every path is below it
	if err != nil || len(points) == 0 {
		t.Fatalf("mounts: %v, %v", points, err)
	}
	return points
}

func readLinks(t *testing.T) []string {
	t.Helper()
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, link := range links {
		names = append(names, link.Attrs().Name)
	}
	slices.Sort(names)
	return names
}

// readRules lists all rules and all chains that are not the kernel's.
func readRules(t *testing.T, program string) []string {
	t.Helper()
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	var lines []string
	for _, table := range parseRules(string(out)).tables {
		for _, chain := range table.chains {
			lines = append(lines, program+" "+table.name+" "+chain)
		}
		for _, r := range table.rules {
			lines = append(lines, program+" "+table.name+" "+r.chain+" "+r.rest)
		}
	}
	slices.Sort(lines)
	return lines
}

func readNames(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func readCgroups(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(cgroupRoot, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // somebody else's, gone in between
			return nil
		}
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
