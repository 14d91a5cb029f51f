package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// BlockInUse tells what this host uses a block device or a part of it for, "" if for
// nothing. A path that is no block device is an error.
//
// A guest that writes to a disk that the host has mounted destroys it. What is looked
// at: mounts (proc_pid_mountinfo(5)), swap (/proc/swaps), and what is built on the
// device, as LVM and RAID are (holders in sysfs, Documentation/ABI/stable/sysfs-block).
func (h Host) BlockInUse(path string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(h.path(path), &st); err != nil {
		return "", &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return "", fmt.Errorf("%s is not a block device", path)
	}
	return h.blockUse(fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev)))
}

// blockUse looks at the device with this number, and at its partitions.
func (h Host) blockUse(number string) (string, error) {
	dir, err := filepath.EvalSymlinks(h.path("/sys/dev/block/" + number))
	if err != nil {
		return "", fmt.Errorf("block device %s: %w", number, err)
	}
	parts := map[string]string{number: dir}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("block device %s: %w", number, err)
	}
	for _, e := range entries {
		part := filepath.Join(dir, e.Name())
		if _, err := os.Stat(filepath.Join(part, "partition")); err != nil {
			continue
		}
		if data, err := os.ReadFile(filepath.Join(part, "dev")); err == nil {
			parts[strings.TrimSpace(string(data))] = part
		}
	}
	names := map[string]bool{}
	for _, dir := range parts {
		names["/dev/"+filepath.Base(dir)] = true
		if holders, err := os.ReadDir(filepath.Join(dir, "holders")); err == nil && len(holders) > 0 {
			return "part of " + holders[0].Name(), nil
		}
	}
	if at, err := h.mountOf(parts); at != "" || err != nil {
		return at, err
	}
	return h.swapOn(names)
}

func (h Host) mountOf(numbers map[string]string) (string, error) {
	data, err := os.ReadFile(h.path("/proc/self/mountinfo"))
	if err != nil {
		return "", fmt.Errorf("mounts: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 4 && numbers[f[2]] != "" {
			return "mounted at " + f[4], nil
		}
	}
	return "", nil
}

func (h Host) swapOn(names map[string]bool) (string, error) {
	data, err := os.ReadFile(h.path("/proc/swaps"))
	if os.IsNotExist(err) { // a kernel without swap
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("swap: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 0 && names[f[0]] {
			return "swap", nil
		}
	}
	return "", nil
}
