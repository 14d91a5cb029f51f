package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"time"

	"vmctl/internal/storage"
)

// Recipe says how to make a machine. One that comes from Parse, Load or a Catalog
// has every field filled in and is valid.
type Recipe struct {
	Name           string            // machine name; "" means the name of the file
	Summary        string            // one line for people
	Image          string            // container image reference with tag or digest
	Guest          Guest             // which contract the image keeps
	Resources      Resources         // what the guest gets
	Env            map[string]string // further environment of the image
	Secrets        map[string]Secret // variables of it whose values are kept elsewhere; nil if none
	Viewer         Viewer            // how the guest's screen is shown
	Ports          []Port            // guest ports to forward, in the order of the file
	Storage        Storage           // where the first disk is kept
	Disks          []Disk            // further disks
	Mounts         []Mount           // further host paths in the container
	Devices        []Device          // host devices for the guest
	Security       Security          // how much the container may do
	Network        Network           // how the guest reaches the network
	Lifecycle      Lifecycle         // how it starts and stops
	RuntimeHandler string            // CRI runtime handler; "" is the runtime's default

	// Source is the file that was read, or "bundled:NAME". It is not a key.
	Source string
}

// Resources are what the guest gets of the host.
type Resources struct {
	CPUs   CPUs
	Memory Size
	Disk   Size
}

// Storage says where the machine's first disk is.
type Storage struct {
	Path string // absolute; "" is the machine's own directory
}

// Mount shows a file or directory of the host in the container.
type Mount struct {
	Source   string // absolute path on the host
	Target   string // absolute path in the container
	ReadOnly bool
}

// Lifecycle says how a machine starts and stops.
type Lifecycle struct {
	// StopGrace is how long the guest may take to shut down before it is killed.
	StopGrace time.Duration
	Ready     Ready
	Restart   Restart
	Autostart bool // start with the host
	Idle      Idle
}

// Restart says when a machine that ended by itself is started again. A guest that was
// shut down from inside has not failed.
type Restart string

// The restart policies.
const (
	RestartNo        Restart = "no"
	RestartOnFailure Restart = "on-failure"
	RestartAlways    Restart = "always"
)

// Idle says what is done with a machine that nobody uses. The zero value is nothing.
type Idle struct {
	After  time.Duration
	Action IdleAction
}

// IdleAction is what is done with an idle machine.
type IdleAction string

// IdleStop shuts an idle guest down.
const IdleStop IdleAction = "stop"

// Ready is how the guest's readiness is known.
type Ready string

// The ways to know that a guest is ready.
const (
	ReadyNone   Ready = "none"   // never waited for: up means the container runs
	ReadyViewer Ready = "viewer" // the screen is there
	ReadyLog    Ready = "log"    // the guest wrote ReadyMarker to its serial port
)

// ReadyMarker is the line in the container's log with which a guest says that its
// installation is finished.
const ReadyMarker = "VMCTL_READY"

// Security is how much the machine's container may do on the host.
type Security string

// The security profiles.
const (
	SecurityPrivileged Security = "privileged" // everything, as the images' own examples do
	SecurityMinimal    Security = "minimal"    // KVM, TUN, NET_ADMIN and default seccomp only
)

// Guest names the contract that an image keeps: see Recipe.Contract.
type Guest string

// The guests.
const (
	Windows Guest = "windows" // dockur/windows
	MacOS   Guest = "macos"   // dockur/macos
	Linux   Guest = "linux"   // qemus/qemu
	Demo    Guest = "demo"    // vmctl's own demonstration image
)

// Guests lists all guests.
func Guests() []Guest { return []Guest{Windows, MacOS, Linux, Demo} }

// Hash identifies what the recipe says, whatever file it came from: two recipes
// with the same hash make the same machine. It is 64 hexadecimal digits.
func (r *Recipe) Hash() string {
	data, err := r.Marshal()
	if err != nil { // not for any recipe that Parse returned
		data = []byte(err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// MachineName is the name of the machine that the recipe makes when the user gives
// none: its own, else that of its file, or for "vmctl.toml" that of the folder.
func (r *Recipe) MachineName() string {
	if r.Name != "" {
		return r.Name
	}
	base := filepath.Base(strings.TrimPrefix(r.Source, bundledPrefix))
	if base == FolderFile {
		base = filepath.Base(filepath.Dir(r.Source))
	}
	return hostLabel(strings.TrimSuffix(base, extension))
}

// FolderFile is the recipe that a bare `vmctl up` takes from the working directory.
const FolderFile = "vmctl.toml"

// hostLabel makes a valid machine name of any text.
func hostLabel(s string) string {
	label := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(s))
	label = strings.Trim(label[:min(len(label), storage.MaxName)], "-")
	if label == "" {
		return "machine"
	}
	return label
}
