package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

const (
	// logLimit is the size, in bytes, from which a log is put aside at a start.
	logLimit = 8 << 20
	// termLimit is how long the daemon may take to end after SIGTERM.
	termLimit = 15 * time.Second
	// pollInterval is how often something is looked at that is waited for.
	pollInterval = 50 * time.Millisecond
)

// spawn starts the daemon and writes which process it is.
func (i *Instance) spawn(ctx context.Context, b binaries) (process, error) {
	unit := ""
	if systemdRuns() {
		unit = i.freeUnit(ctx)
	}
	pid, err := i.spawnAs(ctx, b, unit)
	if err != nil {
		return process{}, err
	}
	p, err := processOf(pid)
	if err != nil {
		return process{}, fmt.Errorf("%w at once", ErrDied)
	}
	p.Containerd, p.Version, p.Unit = b.containerd, b.version, unit
	return p, p.write(i.paths.process)
}

func (i *Instance) spawnAs(ctx context.Context, b binaries, unit string) (int, error) {
	if unit == "" {
		return i.spawnDetached(ctx, b)
	}
	return i.spawnUnit(ctx, b, unit)
}

// spawnDetached starts the daemon in a session of its own, so that it outlives
// the terminal and its Ctrl-C.
func (i *Instance) spawnDetached(_ context.Context, b binaries) (int, error) {
	log, err := os.OpenFile(i.paths.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(b.containerd, "--config", i.paths.config) // not of ctx: it stays
	cmd.Env = daemonEnvironment(os.Environ(), b.path())
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %q: %w", b.containerd, err)
	}
	go func() { _ = cmd.Wait() }() // no zombie, should we live longer
	return cmd.Process.Pid, nil
}

// daemonEnvironment keeps what decides how images are pulled, and sets PATH.
func daemonEnvironment(environment []string, path string) []string {
	kept := []string{"PATH=" + path}
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		switch strings.ToUpper(name) {
		case "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "LANG", "TZ":
			kept = append(kept, entry)
		}
	}
	return kept
}

// endDaemon ends the daemon, not its pods, and waits until it is gone.
func (i *Instance) endDaemon(ctx context.Context, p process) error {
	ctx, cancel := context.WithTimeout(ctx, 2*termLimit)
	defer cancel()
	if p.Unit != "" {
		if err := stopUnit(ctx, p.Unit); err != nil && p.alive() {
			i.log.Warn("systemctl could not stop the unit", "unit", p.Unit, "error", err)
		}
	}
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := p.signal(sig); err != nil {
			return err
		}
		if waitUntil(ctx, termLimit, func() bool { return !p.alive() }) {
			return os.RemoveAll(i.paths.process)
		}
	}
	return fmt.Errorf("containerd (process %d) does not end", p.PID)
}

// waitUntil polls done until it is true, for at most limit; false if it never was.
func waitUntil(ctx context.Context, limit time.Duration, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			return done()
		case <-time.After(pollInterval):
		}
	}
	return true
}

// rotateLog puts a big log aside and returns where the new entries will begin.
func (i *Instance) rotateLog() int64 {
	info, err := os.Stat(i.paths.log)
	if err != nil {
		return 0
	}
	if info.Size() > logLimit && os.Rename(i.paths.log, i.paths.log+".1") == nil {
		return 0
	}
	return info.Size()
}

// explain adds the end of the daemon's log to an error of starting it.
func (i *Instance) explain(err error, offset int64) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if lines := tail(i.paths.log, offset, 5); lines != "" {
		err = fmt.Errorf("%w; its log ends with:\n%s", err, lines)
	}
	return hint.With(err, "read the log: %s", i.paths.log)
}
