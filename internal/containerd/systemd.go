package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// unitsMost is how many names are tried for the unit.
const unitsMost = 100

// freeUnit is the first name that no unit has: systemd keeps the unit of a daemon
// that died as long as its shims, and with them the pods, live in its cgroup. A dot
// sets the number apart, because no instance's name has one.
func (i *Instance) freeUnit(ctx context.Context) string {
	unit := i.paths.unit
	for n := 2; n < unitsMost; n++ {
		// A name that is asked for with an error is as good as free: to start it tells.
		if state, err := unitProperty(ctx, unit, "LoadState"); err != nil || state == "not-found" {
			break
		}
		unit = fmt.Sprintf("%s.%d.service", strings.TrimSuffix(i.paths.unit, ".service"), n)
	}
	return unit
}

// spawnUnit starts the daemon as a transient unit, so that it outlives the
// user's login session, which systemd may end with all its processes (systemd:
// logind.conf, KillUserProcesses).
func (i *Instance) spawnUnit(ctx context.Context, b binaries, unit string) (int, error) {
	err := runQuiet(ctx, "systemd-run", i.unitArgs(b, unit, os.Environ())...)
	var pid string
	if err == nil {
		pid, err = unitProperty(ctx, unit, "MainPID")
	}
	if ctx.Err() != nil { // systemd goes on with what it was asked for
		err = errors.Join(ctx.Err(), stopUnit(context.WithoutCancel(ctx), unit))
	}
	if err != nil {
		return 0, fmt.Errorf("start systemd unit %q: %w", unit, err)
	}
	return strconv.Atoi(pid)
}

// unitProperty asks systemd.
func unitProperty(ctx context.Context, unit, property string) (string, error) {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property", property, "--value", unit).Output()
	return strings.TrimSpace(string(out)), err
}

// forgetUnits lets systemd unload what is left of our daemons' units. Mostly it has.
func (i *Instance) forgetUnits(ctx context.Context) {
	if systemdRuns() {
		numbered := strings.TrimSuffix(i.paths.unit, ".service") + ".*.service"
		_ = runQuiet(ctx, "systemctl", "reset-failed", i.paths.unit, numbered)
	}
}

// unitArgs are systemd-run's. The properties are those of containerd's own unit
// (containerd: containerd.service): its cgroup is delegated, and stopping the
// daemon leaves the shims, and with them the pods, alone.
func (i *Instance) unitArgs(b binaries, unit string, environment []string) []string {
	args := []string{
		"--unit", unit, "--description", "vmctl private runtime " + i.Name(),
		"--collect", "--quiet", "--service-type", "exec",
	}
	for _, property := range []string{
		"Delegate=yes", "KillMode=process", "TasksMax=infinity", "LimitNOFILE=1048576",
		"WorkingDirectory=/", "StandardOutput=append:" + i.paths.log, "StandardError=append:" + i.paths.log,
	} {
		args = append(args, "--property", property)
	}
	for _, entry := range daemonEnvironment(environment, b.path()) {
		args = append(args, "--setenv", entry)
	}
	return append(args, "--", b.containerd, "--config", i.paths.config)
}

func stopUnit(ctx context.Context, unit string) error {
	return runQuiet(ctx, "systemctl", "stop", unit)
}

// runQuiet runs a command; what it printed goes into its error.
func runQuiet(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err == nil {
		return nil
	}
	if ended := contextError(ctx); ended != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], ended)
	}
	if text := strings.TrimSpace(string(out)); text != "" {
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, text)
	}
	return fmt.Errorf("%s %s: %w", name, args[0], err)
}
