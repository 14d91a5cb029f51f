package machine

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

// process is one process and no later one of the same number: its PID namespace, its
// number in it, and when it began (ticks after the boot, proc_pid_stat(5) field 22).
type process struct {
	namespace string
	pid       int
	began     string
}

func thisProcess() process {
	return process{pidNamespace(), os.Getpid(), began(os.Getpid())}
}

func pidNamespace() string {
	link, err := os.Readlink("/proc/self/ns/pid") // "pid:[4026531836]"
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(link, "pid:"), "[]")
}

// began is "" for a process that is not there.
func began(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name in field 2 is in brackets, and may hold some itself.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}

// String is a form that may be a label.
func (p process) String() string {
	return fmt.Sprintf("%s.%d.%s", p.namespace, p.pid, p.began)
}

func parseProcess(text string) process {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return process{}
	}
	pid, _ := strconv.Atoi(parts[1]) // 0 is alive below
	return process{parts[0], pid, parts[2]}
}

// alive tells whether the process is still there. One that cannot be seen from here, as it
// is in another namespace, counts as alive.
func (p process) alive() bool {
	if p.pid == 0 || p.namespace != pidNamespace() {
		return true
	}
	if now := began(p.pid); now != "" {
		return now == p.began
	}
	// /proc may be mounted so that another user's processes are not in it (proc(5), hidepid).
	return errors.Is(unix.Kill(p.pid, 0), unix.EPERM)
}

// static refuses a program that needs libraries, which an image may not have.
func static(program string) error {
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("look at vmctl's own program: %w", err)
	}
	defer f.Close()
	for _, part := range f.Progs {
		if part.Type == elf.PT_INTERP {
			return hint.With(fmt.Errorf("%s needs libraries, and so cannot run in a container", program), "build it with: make build")
		}
	}
	return nil
}
