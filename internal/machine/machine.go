package machine

import (
	"net/netip"
	"net/url"
	"time"

	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// Phase is where a machine is in its life. It is derived each time from the
// runtime, the machine's directory and the guest's own word; it is never stored.
type Phase string

// The phases.
const (
	Creating   Phase = "Creating"   // its directory or sandbox is being made
	Stopped    Phase = "Stopped"    // no container runs; the disk is at rest
	Starting   Phase = "Starting"   // the container runs, the guest's screen is not there yet
	Installing Phase = "Installing" // the guest's system is being installed
	Running    Phase = "Running"    // the guest is up
	Stopping   Phase = "Stopping"   // the guest was asked to shut down
	Failed     Phase = "Failed"     // the container ended by itself; Reason says why
)

// Up reports whether a container of the machine runs in this phase.
func (p Phase) Up() bool {
	return p == Starting || p == Installing || p == Running || p == Stopping
}

// Machine is the truth about one machine at the moment it was asked for.
type Machine struct {
	Name    string
	UID     string
	Phase   Phase
	Reason  string // why it is Failed, or what is worth knowing; one line
	Fix     string // what to do about Reason; may be empty
	Exit    string // how its container ended, while the runtime still has it
	Guest   recipe.Guest
	Summary string
	Image   string
	// RunsOn is the beginning of the digest of the image that it is on: see Upgrade. It is
	// empty before the first start.
	RunsOn string
	CPUs   string
	Memory string
	Disk   string

	// Forwards are the host ports that lead into the machine. Only those of a
	// machine that is up are live.
	Forwards []portfwd.Forward

	SandboxID   string
	ContainerID string
	Address     string // the sandbox's IP address; empty unless asked for by Show
	CreatedAt   time.Time
	StartedAt   time.Time
	// Installed tells that the guest's installation was seen to finish.
	Installed bool
	// Paused tells that the guest is up and its processors are stopped: see Pause.
	Paused bool
	// Ephemeral tells that it is up on a copy of its disks, which goes when it stops.
	Ephemeral bool
	// Protected tells that the machine is not to be deleted: see Protect.
	Protected bool
	// ViewerProtected tells that the viewer asks for a password.
	ViewerProtected bool
	// Progress is the guest's own word while it is Starting or Installing
	// ("Downloading Windows 11"); Percent is below 0 where it gave none.
	Progress string
	Percent  float64

	// Directory, Storage and Log are absolute host paths. Directory is empty
	// for an orphan: a sandbox whose machine directory is gone.
	Directory string
	Storage   string
	Log       string
}

// Orphan reports whether only the runtime knows this machine.
func (m Machine) Orphan() bool { return m.Directory == "" }

// ViewerURL is the address of the web viewer, or "" when the recipe forwards no
// viewer port. It answers only while the machine is up.
func (m Machine) ViewerURL() string {
	f, ok := m.Forward(viewerPort, portfwd.TCP)
	if !ok {
		return ""
	}
	return viewerURL(f)
}

// Forward returns the forward of a guest port.
func (m Machine) Forward(guest int, protocol portfwd.Protocol) (portfwd.Forward, bool) {
	for _, f := range m.Forwards {
		if f.GuestPort == guest && f.Protocol == protocol {
			return f, true
		}
	}
	return portfwd.Forward{}, false
}

// viewerPort is where nginx serves the status page and noVNC in every image
// (qemus/qemu src/server.sh, WEB_PORT).
const viewerPort = 8006

func viewerURL(f portfwd.Forward) string {
	host := f.Address
	if host.IsUnspecified() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	u := url.URL{Scheme: "http", Path: "/",
		Host: netip.AddrPortFrom(host, uint16(f.HostPort)).String()}
	return u.String()
}

// Stage names a step of a long operation.
type Stage string

// The stages, in the order in which `up` passes them, then those of stop.
const (
	StageCheck   Stage = "check"   // host and runtime are looked at
	StagePull    Stage = "pull"    // the image is fetched; Done and Total in bytes
	StageCreate  Stage = "create"  // sandbox and container are made
	StageStart   Stage = "start"   // the container runs, its viewer does not answer yet
	StageInstall Stage = "install" // the guest's system is being installed
	StageReady   Stage = "ready"   // the guest is up
	StageStop    Stage = "stop"    // the guest shuts down; Done and Total in seconds of grace
	StageRemove  Stage = "remove"  // sandbox and files are removed
	StageOwn     Stage = "own"     // files of a container's root are given to the user
	StageCopy    Stage = "copy"    // the disk is copied; Done and Total in bytes
	StageNote    Stage = "note"    // something the user should know; Text says it
)

// Progress is one report of a long operation. Reports come one at a time, from
// the goroutine that runs the operation.
type Progress struct {
	Stage   Stage
	Text    string
	Done    int64
	Total   int64   // 0 where unknown
	Percent float64 // below 0 where unknown
	Elapsed time.Duration
}

// Reporter takes progress reports; nil is allowed and means nobody listens.
type Reporter func(Progress)

func (r Reporter) report(p Progress) {
	if r != nil {
		r(p)
	}
}

func (r Reporter) note(text string) { r.report(Progress{Stage: StageNote, Text: text, Percent: -1}) }
