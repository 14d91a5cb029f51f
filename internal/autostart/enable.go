package autostart

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"vmctl/internal/hint"
)

// ErrNoSystemd says that this host, or this session, is not run by systemd.
var ErrNoSystemd = errors.New("systemd does not answer")

// Enable writes the unit, or writes it anew, and has systemd start it with the host. It
// does not start it now. After an error nothing of it stays.
func (u Unit) Enable(ctx context.Context) error {
	was, err := u.Enabled()
	if err != nil {
		return hint.With(err, "look at it, and move it away: %s", u.Path())
	}
	if err := u.systemctl(ctx, "show", "--property", "Version"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(u.Path()), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(u.Path(), []byte(u.Text()), 0o644); err != nil {
		return err
	}
	err = u.systemctl(ctx, "daemon-reload")
	if err == nil {
		err = u.systemctl(ctx, "enable", u.Name())
	}
	if err != nil && !was {
		err = errors.Join(err, os.Remove(u.Path()))
	}
	return err
}

// Disable takes the unit away; a machine that runs goes on. None there is success, and
// done is false.
func (u Unit) Disable(ctx context.Context) (done bool, err error) {
	was, err := u.Enabled()
	if err != nil || !was {
		return false, err
	}
	// Without systemd, its links are not there either.
	if err := u.systemctl(ctx, "disable", u.Name()); err != nil && !errors.Is(err, ErrNoSystemd) {
		return false, err
	}
	if err := os.Remove(u.Path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := u.systemctl(ctx, "daemon-reload"); err != nil && !errors.Is(err, ErrNoSystemd) {
		return true, err
	}
	return true, nil
}

// systemctl asks systemd, the system's or the user's.
func (u Unit) systemctl(ctx context.Context, args ...string) error {
	words := append([]string{"--user"}, args...)
	if u.System {
		words = args
	}
	out, err := exec.CommandContext(ctx, "systemctl", words...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound), strings.Contains(text, "not been booted with systemd"), strings.Contains(text, "Failed to connect to"):
		err := fmt.Errorf("%w: %s", ErrNoSystemd, firstOf(text, "systemctl is not there"))
		return hint.With(err, "have what starts your services run: %s up --foreground %s", u.Program, u.Machine)
	}
	return fmt.Errorf("systemctl %s: %w: %s", args[0], err, text)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
