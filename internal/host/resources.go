package host

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"
	"golang.org/x/sys/unix"
)

// DiskFree checks that at least need bytes are free where path is, or would be made. path
// is a real path: Root is not put before it.
func (h Host) DiskFree(path string, need uint64) Finding {
	const name = "disk"
	free, err := freeSpace(path)
	if err != nil {
		return Finding{name, Warn, fmt.Sprintf("free space at %s is unknown: %v", path, err), "look with: df -h " + path}
	}
	detail := fmt.Sprintf("%s free at %s", size(free), path)
	if free < need {
		return Finding{name, Fail, fmt.Sprintf("%s, %s needed", detail, size(need)),
			"make room there, or set XDG_DATA_HOME to a larger disk"}
	}
	return ok(name, detail)
}

// freeSpace asks about path or its nearest parent that exists.
func freeSpace(path string) (uint64, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, err
	}
	for {
		var st unix.Statfs_t
		err := unix.Statfs(path, &st)
		if errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
			path = filepath.Dir(path)
			continue
		}
		return st.Bavail * uint64(st.Bsize), err
	}
}

// Memory checks that guests that want need bytes find them: Fail when the host does not
// have as much at all, Warn when it is in use now (the images then give the guest less,
// qemus/qemu src/memory.sh).
func (h Host) Memory(need uint64) Finding {
	const name = "memory"
	total, available, err := h.meminfo()
	if err != nil {
		return Finding{name, Warn, fmt.Sprintf("memory is unknown: %v", err), "look with: free -h"}
	}
	detail := fmt.Sprintf("%s of %s available", size(available), size(total))
	switch {
	case total < need:
		return Finding{name, Fail, fmt.Sprintf("%s, %s needed", detail, size(need)), "give the machine less memory in its recipe"}
	case available < need:
		return Finding{name, Warn, fmt.Sprintf("%s, %s wanted: the guest would get less", detail, size(need)),
			"stop something, or give the machine less memory in its recipe"}
	}
	return ok(name, detail)
}

// meminfo returns bytes, from proc(5).
func (h Host) meminfo() (total, available uint64, err error) {
	data, err := os.ReadFile(h.path("/proc/meminfo"))
	if err != nil {
		return 0, 0, err
	}
	values := map[string]uint64{}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		key, rest, _ := strings.Cut(lines.Text(), ":")
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err == nil {
			values[key] = kib << 10
		}
	}
	total, ok1 := values["MemTotal"]
	available, ok2 := values["MemAvailable"]
	if !ok1 || !ok2 {
		return 0, 0, errors.New("/proc/meminfo does not say")
	}
	return total, available, nil
}

// size writes bytes for people: "1.5GiB".
func size(n uint64) string { return units.BytesSize(float64(n)) }
