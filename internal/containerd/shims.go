package containerd

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// shims are the processes that stand between containerd and its containers, and
// outlive it. Ours have our socket on their command line (containerd: shim binary,
// flag -address), or a directory of ours as their working directory. Other programs
// may have that socket there too, a user's ctr among them.
func (i *Instance) shims() []process {
	return findProcesses(func(pid int, args []string) bool {
		if !strings.HasPrefix(filepath.Base(args[0]), "containerd-shim") {
			return false
		}
		if k := slices.Index(args, "-address"); k > 0 && k+1 < len(args) && args[k+1] == i.paths.socket {
			return true
		}
		dir, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
		return err == nil && strings.HasPrefix(dir, i.paths.daemon+"/")
	})
}

// orphans are daemons that run on our configuration and of which no file tells:
// their start was interrupted, or the state directory was removed under them.
func (i *Instance) orphans() []process {
	return findProcesses(func(_ int, args []string) bool {
		return len(args) == 3 && args[1] == "--config" && args[2] == i.paths.config
	})
}

// findProcesses looks through all processes that have a command line.
func findProcesses(match func(pid int, args []string) bool) []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		p, err := processOf(pid) // before the command line: it is this one's, then
		if err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil || len(line) == 0 {
			continue
		}
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if match(pid, args) && p.alive() {
			found = append(found, p)
		}
	}
	return found
}

// killAll kills processes and waits until they are gone.
func (i *Instance) killAll(ctx context.Context, all []process) error {
	var failed error
	for _, p := range all {
		failed = errors.Join(failed, p.signal(unix.SIGKILL))
	}
	for _, p := range all {
		if !waitUntil(ctx, termLimit, func() bool { return !p.alive() }) {
			failed = errors.Join(failed, fmt.Errorf("process %d does not end", p.PID))
		}
	}
	return failed
}

// containerIDs are those of all pods and containers of which runc or containerd has
// a directory. Runc's root is the instance's own, so that all in it is ours.
func (i *Instance) containerIDs() []string {
	var ids []string
	for _, pattern := range []string{
		filepath.Join(i.paths.runc, "*", "*"),
		filepath.Join(i.paths.daemon, "io.containerd.runtime.v2.task", "*", "*"),
		filepath.Join(i.paths.daemon, "io.containerd.grpc.v1.cri", "*", "*"),
	} {
		found, _ := filepath.Glob(pattern) // the patterns are good
		for _, dir := range found {
			if id := filepath.Base(dir); isContainerID(id) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// isContainerID tells 64 hexadecimal digits, which is how CRI names things.
func isContainerID(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// killContainers kills what runs in containers that no shim looks after any more,
// and removes their cgroups.
func (i *Instance) killContainers(ctx context.Context) error {
	dirs, _ := filepath.Glob(filepath.Join(i.paths.runc, "*", "*")) // the pattern is good
	var all error
	for _, dir := range dirs {
		ctx, cancel := context.WithTimeout(ctx, podLimit)
		out, err := exec.CommandContext(ctx, lookPath("runc"), "--root", filepath.Dir(dir), "delete", "--force", filepath.Base(dir)).CombinedOutput()
		cancel()
		if err != nil {
			all = errors.Join(all, fmt.Errorf("delete container %q: %w: %s", filepath.Base(dir), err, strings.TrimSpace(string(out))))
		}
	}
	return all
}

// shimSockets are the sockets on which shims of these pods and containers listen,
// in a directory that all containerds share (containerd: pkg/shim,
// SocketAddress): their names are a hash of what is ours.
func (i *Instance) shimSockets(ids []string) []string {
	var files []string
	for _, id := range ids {
		for _, suffix := range []string{"", "debug"} {
			sum := sha256.Sum256([]byte(filepath.Join(i.paths.socket, criNamespace, id, suffix)))
			files = append(files, filepath.Join(shimSocketDir, fmt.Sprintf("%x", sum)))
		}
	}
	return files
}
