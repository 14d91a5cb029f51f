package containerd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is the daemon's file: which process it is, so that a number that the
// kernel gave to somebody else later is never taken for it.
type process struct {
	PID        int       `json:"pid"`
	Start      uint64    `json:"start"`  // clock ticks from boot: field 22 of /proc/PID/stat
	BootID     string    `json:"bootId"` // ticks tell nothing after a reboot
	Since      time.Time `json:"since"`
	Containerd string    `json:"containerd"` // executable
	Version    string    `json:"version"`
	Unit       string    `json:"unit,omitempty"` // systemd's, if it runs it
}

// processOf describes a process that runs now.
func processOf(pid int) (process, error) {
	start, err := startOf(pid)
	if err != nil {
		return process{}, err
	}
	return process{PID: pid, Start: start, BootID: bootID(), Since: time.Now().UTC().Truncate(time.Second)}, nil
}

// readProcess reads the file; ok is false if there is none or it makes no sense.
func readProcess(file string) (p process, ok bool) {
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &p) != nil || p.PID <= 1 {
		return process{}, false
	}
	return p, true
}

func (p process) write(file string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(file, append(data, '\n'))
}

// alive tells whether this very process still runs.
func (p process) alive() bool {
	if p.PID <= 1 || p.BootID != bootID() {
		return false
	}
	start, err := startOf(p.PID)
	return err == nil && start == p.Start
}

// signal sends to this very process or to none: the descriptor holds on to the
// process that it was opened for, whoever gets its number.
func (p process) signal(sig unix.Signal) error {
	if !p.alive() {
		return nil
	}
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", p.PID, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !p.alive() {
		return nil
	}
	err = unix.PidfdSendSignal(fd, sig, nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("signal process %d: %w", p.PID, err)
	}
	return nil
}

// errZombie is what startOf says of a process that ended and was not waited for.
var errZombie = errors.New("process has ended")

// startOf reads when a process started (proc(5), /proc/pid/stat). The second
// field is a name that may hold spaces and parentheses.
func startOf(pid int) (uint64, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	_, after, ok := bytes.Cut(data[bytes.LastIndexByte(data, ')'):], []byte(") "))
	fields := strings.Fields(string(after))
	if !ok || len(fields) < 20 {
		return 0, fmt.Errorf("process %d: cannot read its state", pid)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return 0, errZombie
	}
	return strconv.ParseUint(fields[19], 10, 64)
}

func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
