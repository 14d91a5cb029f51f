package machine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/host"
	"vmctl/internal/storage"
)

// Manager does what the user asks of machines. It holds no state of its own:
// two managers, in two processes, may work on the same machines at once.
type Manager struct {
	// Runtime is the container runtime. It may be nil for Render, Inventory
	// and Create, which need none.
	Runtime *cri.Client
	// Store is where the machines' directories are.
	Store *storage.Store
	// Log takes what is worth knowing when something is looked into; nil
	// discards it.
	Log *slog.Logger
	// PollInterval is how often a wait looks at the guest; 0 is 500 ms.
	PollInterval time.Duration
	// WatchPull reports how far the runtime's pulls are, until its context ends.
	// Nil where the runtime does not tell.
	WatchPull func(context.Context, func(done, total int64)) error
	// Patience is how long a wait bears a silent runtime; 0 is 10 s.
	Patience time.Duration
	// Agents serve the forwards that the runtime does not; nil: there are none.
	Agents Agents
	// Program finds the file of vmctl itself, for errands; nil: there are none.
	Program func() (string, error)
	// Host is this computer; the zero value is the real one.
	Host host.Host
	// Getenv is the environment that secrets may be kept in; nil is the process's.
	Getenv func(string) string
}

// What callers act on. They come wrapped, with the machine's name around them.
var (
	ErrNotFound = storage.ErrNotFound
	ErrExists   = storage.ErrExists
	// ErrNoSnapshot says that the machine has no snapshot of that name.
	ErrNoSnapshot = storage.ErrNoSnapshot
	// ErrPhase says that the machine is not in a phase that allows the verb.
	ErrPhase = errors.New("wrong phase")
	// ErrGuard says that going on might have destroyed the guest's disk.
	ErrGuard = errors.New("refused to protect the disk")
	// ErrTimeout says that the guest did not come as far as it was waited for.
	// The machine goes on.
	ErrTimeout = errors.New("timed out")
	// ErrFailed says that the machine ended by itself.
	ErrFailed = errors.New("machine failed")
	// ErrForward says that a forwarded port does not answer although the guest's
	// side of it does.
	ErrForward = errors.New("port is not forwarded")
)

// Labels and annotations on the sandboxes and containers that are ours.
const (
	LabelMachine = "io.vmctl.machine"
	LabelUID     = "io.vmctl.uid"

	annotationRecipe  = "io.vmctl.recipe"
	annotationHash    = "io.vmctl.recipe-hash"
	annotationStorage = "io.vmctl.storage"
	annotationDisks   = "io.vmctl.disks" // one path a line
	annotationPorts   = "io.vmctl.ports"
	annotationGrace   = "io.vmctl.grace"
)

// sandboxNamespace is the Kubernetes namespace of every sandbox we make, and
// containerName the name of the one container in it.
const (
	sandboxNamespace = "vmctl"
	containerName    = "vm"
	logName          = "vm.log"
)

// cleanupTime bounds what is still done after the user's context has ended.
const cleanupTime = 30 * time.Second

func (m *Manager) log() *slog.Logger {
	if m.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return m.Log
}

func (m *Manager) pollInterval() time.Duration {
	if m.PollInterval == 0 {
		return 500 * time.Millisecond
	}
	return m.PollInterval
}

func (m *Manager) patience() time.Duration {
	if m.Patience == 0 {
		return 10 * time.Second
	}
	return m.Patience
}

// detach returns a context that outlives ctx by at most limit: for putting right
// what a cancelled operation left half made.
func detach(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
