package autostart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
)

// Unit is the systemd unit of one machine.
type Unit struct {
	Machine string
	System  bool          // of the system, not of the user
	Program string        // absolute path of vmctl
	Grace   time.Duration // how long the guest may take to shut down
	// Environment is what vmctl needs to find the machine and its runtime, "NAME=VALUE".
	Environment []string
	// Dir is where the unit is written; "" is where systemd looks.
	Dir string
}

// ErrForeign says that a unit of that name is there which vmctl did not write.
var ErrForeign = errors.New("not written by vmctl")

// mark is the first line of every unit that is ours.
const mark = "# Written by: vmctl autostart enable"

// Name is the unit's.
func (u Unit) Name() string { return "vmctl-" + u.Machine + ".service" }

// Path is the unit's file (systemd.unit(5), "Unit File Load Path").
func (u Unit) Path() string {
	dir := u.Dir
	switch {
	case dir != "":
	case u.System:
		dir = "/etc/systemd/system"
	default:
		dir = filepath.Join(xdg.ConfigHome, "systemd", "user")
	}
	return filepath.Join(dir, u.Name())
}

// stopSlack is what systemd waits beyond the guest's grace: the sandbox is removed then.
const stopSlack = time.Minute

// Text is the unit's file. The exit codes that it names are vmctl's (vmctl help
// exit-codes): those of a question to the user are not tried again.
func (u Unit) Text() string {
	target := "default.target"
	if u.System {
		target = "multi-user.target"
	}
	var b strings.Builder
	fmt.Fprintln(&b, mark)
	fmt.Fprintf(&b, "[Unit]\nDescription=Virtual machine %s\nAfter=network-online.target containerd.service crio.service\n", u.Machine)
	if u.System {
		fmt.Fprintln(&b, "Wants=network-online.target")
	}
	fmt.Fprintf(&b, "\n[Service]\nType=exec\n")
	for _, e := range u.Environment {
		fmt.Fprintf(&b, "Environment=%s\n", quote(e))
	}
	program := strings.ReplaceAll(quote(u.Program), "$", "$$") // variables are read here only
	fmt.Fprintf(&b, "ExecStart=%s up --foreground %s\n", program, u.Machine)
	// Only vmctl is told to end: it shuts the guest down and waits for it.
	fmt.Fprintf(&b, "KillMode=mixed\nTimeoutStartSec=infinity\nTimeoutStopSec=%d\n", int((u.Grace + stopSlack).Seconds()))
	fmt.Fprintf(&b, "Restart=on-failure\nRestartSec=10\nRestartPreventExitStatus=2 3 4 7\nSuccessExitStatus=130\n")
	fmt.Fprintf(&b, "\n[Install]\nWantedBy=%s\n", target)
	return b.String()
}

// quote writes a word as systemd reads it: in quotes, and with its specifiers taken
// literally (systemd.syntax(7), systemd.unit(5) "Specifiers").
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(s) + `"`
}

// Enabled tells whether the unit's file is there and ours.
func (u Unit) Enabled() (bool, error) {
	data, err := os.ReadFile(u.Path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !strings.HasPrefix(string(data), mark):
		return false, fmt.Errorf("unit %s: %w", u.Path(), ErrForeign)
	}
	return true, nil
}
