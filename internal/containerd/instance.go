package containerd

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"vmctl/internal/hint"
)

// DefaultName is the instance that is meant where none is named.
const DefaultName = "default"

// What callers act on. The errors themselves say more, and carry hints.
var (
	ErrNotRoot       = errors.New("root is needed")
	ErrMissing       = errors.New("not installed")
	ErrNotContainerd = errors.New("not containerd")
	ErrNotAnArchive  = errors.New("not an image archive")
	ErrInvalidName   = errors.New("invalid runtime name")
	ErrDied          = errors.New("containerd ended")
)

// Options say which private runtime is meant and how it is to run.
type Options struct {
	// Name tells instances apart; "" is DefaultName. Lower-case letters, digits and
	// dashes, at most 32.
	Name string
	// Containerd is the daemon's executable. "" takes the first there is of
	// $VMCTL_CONTAINERD, the distribution's in PATH, runtime/containerd beside our
	// own executable, and /usr/lib/vmctl/runtime/containerd.
	Containerd string
	// Group (a name or a number) may use the socket, which is as much as being
	// root. "" is the group "vmctl" if there is one, else root's.
	Group string
	// LAN is the link of this host in whose network pods of LANHandler are to be. "" is
	// that of the last start, and NoLAN none.
	LAN string
	// Log receives what goes on; nil discards it.
	Log *slog.Logger
}

// Instance is one private runtime, running or not. It may be used from several
// goroutines and processes at once: Start and Stop lock.
type Instance struct {
	options Options
	paths   paths
	log     *slog.Logger
}

// New returns the instance that o names. It touches nothing.
func New(o Options) (*Instance, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if err := checkName(o.Name); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Instance{options: o, paths: pathsOf(o.Name), log: o.Log}, nil
}

// Name of the instance.
func (i *Instance) Name() string { return i.options.Name }

// Socket is the path of the unix socket on which the instance speaks CRI and
// containerd's own API.
func (i *Instance) Socket() string { return i.paths.socket }

// LogPath is the daemon's log file.
func (i *Instance) LogPath() string { return i.paths.log }

// checkName keeps names short enough for a socket's path (Linux: 108 bytes in
// sockaddr_un) and free of what unit names and iptables comments would quote.
func checkName(name string) error {
	if regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`).MatchString(name) {
		return nil
	}
	return hint.With(fmt.Errorf("%w: %q", ErrInvalidName, name),
		"use lower-case letters, digits and dashes, at most 32, such as \"lab\"")
}

// command is how a user types a runtime verb for this instance.
func (i *Instance) command(verb string) string {
	if i.options.Name == DefaultName {
		return "vmctl runtime " + verb
	}
	return "vmctl --runtime-name " + i.options.Name + " runtime " + verb
}
