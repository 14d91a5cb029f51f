package recipe

import (
	"strings"
	"time"
)

// Contract is what the launcher must know about an image to treat it right. Its
// facts come from dockur/windows v6.05, dockur/macos v3.12 and qemus/qemu v7.48;
// the demo image keeps the same by intention.
type Contract struct {
	Guest        Guest
	DefaultImage string // the release of the image that these facts were read in

	ViewerPort int // web viewer and status page
	VNCPort    int // bare VNC, without a password even with PROTECT=Y

	// DiskNames are patterns (path.Match) of the data disk below the storage
	// directory.
	DiskNames []string
	// MarkerFile, below the storage directory, tells the image that the guest's
	// installation is complete. An image that has one deletes the disks at the next
	// start when the file is not there. "" where the image has no such habit.
	MarkerFile string
	// BaseFile, below the storage directory, holds the identity of what was
	// installed: when it no longer fits the environment, the image reinstalls. ""
	// where there is none.
	BaseFile string
	// OwnFiles are patterns of the files, in the storage directory and the folders directly
	// below, that say who the guest is on the network or to its maker: a copy of the
	// machine must not have them, and the image makes them anew.
	OwnFiles []string
	// IdentityEnv are the variables that decide what is installed. They may not
	// change once the machine exists.
	IdentityEnv []string
	// MediaTargets are the paths in the container where a mount decides what is
	// installed. They may not change either.
	MediaTargets []string
	// InstallEnv are the variables that are read only while installing: a later
	// change has no effect.
	InstallEnv []string

	// HasReadyMarker tells that the guest can be made to write ReadyMarker to its
	// serial port when it is installed (Lifecycle.Ready "log").
	HasReadyMarker bool
	// StopGrace is the default of Lifecycle.StopGrace.
	StopGrace time.Duration

	defaults Resources
	ready    Ready
	env      map[string]string // sent explicitly when the recipe is silent
}

// Ports of the images inside the pod (qemus/qemu src/server.sh).
const (
	viewerPort = 8006
	vncPort    = 5900
)

// StopMargin is how much longer than TIMEOUT the runtime must wait: the image ends
// its helpers after that (qemus/qemu src/power.sh).
const StopMargin = 15 * time.Second

// Contract returns the contract that the recipe's image keeps.
func (r *Recipe) Contract() Contract { return contractOf(r.Guest) }

func contractOf(g Guest) Contract {
	c := Contract{
		Guest:      g,
		ViewerPort: viewerPort,
		VNCPort:    vncPort,
		DiskNames:  []string{"data.img", "data.qcow2"},
		OwnFiles:   []string{"*.mac"}, // made from the host name (qemus/qemu src/network.sh)
		StopGrace:  120 * time.Second,
		ready:      ReadyViewer,
	}
	switch g {
	case Windows:
		c.windows()
	case MacOS:
		c.macOS()
	case Linux:
		c.linux()
	case Demo:
		c.demo()
	}
	return c
}

func (c *Contract) windows() {
	c.DefaultImage = "docker.io/dockurr/windows:6.05"
	c.MarkerFile, c.BaseFile = "windows.boot", "windows.base"
	c.IdentityEnv = []string{"VERSION", "LANGUAGE"}
	c.MediaTargets = []string{"/custom.iso", "/boot.iso"}
	c.InstallEnv = strings.Fields(`EDITION KEY REGION KEYBOARD USERNAME PASSWORD AUTOLOGIN DOMAIN
		DOMAIN_OU WORKGROUP HOST WIDTH HEIGHT COMMAND MIDO ESD VERIFY CONNECTIONS LOG SHORTCUT MANUAL UNPACK`)
	c.HasReadyMarker, c.ready = true, ReadyLog
	c.defaults = Resources{CPUs{Count: 2}, Size{Bytes: 4 * GiB}, Size{Bytes: 64 * GiB}}
	c.env = map[string]string{"LANGUAGE": "en"}
}

func (c *Contract) macOS() {
	c.DefaultImage = "docker.io/dockurr/macos:3.12"
	c.DiskNames = append(c.DiskNames, "*/data.img", "*/data.qcow2")
	c.OwnFiles = append(c.OwnFiles, "macos.id", "macos.sn", "macos.mlb") // dockur/macos src/install.sh
	c.IdentityEnv = []string{"VERSION"}
	c.MediaTargets = []string{"/boot.dmg"}
	c.defaults = Resources{CPUs{Count: 1}, Size{Bytes: 4 * GiB}, Size{Bytes: 64 * GiB}}
}

func (c *Contract) linux() {
	c.DefaultImage = "docker.io/qemux/qemu:7.48"
	c.DiskNames = append(c.DiskNames, "*/data.img", "*/data.qcow2")
	c.IdentityEnv = []string{"BOOT"}
	c.MediaTargets = []string{"/boot.iso", "/boot.img", "/boot.raw", "/boot.qcow2", "/custom.iso"}
	c.StopGrace = 105 * time.Second
	c.defaults = Resources{CPUs{Count: 2}, Size{Bytes: 2 * GiB}, Size{Bytes: 64 * GiB}}
}

func (c *Contract) demo() {
	c.DefaultImage = "localhost/vmctl-demo:1"
	c.MarkerFile, c.BaseFile = "demo.boot", "demo.base"
	c.IdentityEnv = []string{"VERSION"}
	c.InstallEnv = []string{"USERNAME", "PASSWORD", "COMMAND"}
	c.HasReadyMarker, c.ready = true, ReadyLog
	c.StopGrace = 45 * time.Second
	c.defaults = Resources{CPUs{Count: 1}, Size{Bytes: 256 * MiB}, Size{Bytes: GiB}}
	c.env = map[string]string{"VERSION": "1"}
}

// guestOf guesses the guest from an image's repository.
func guestOf(image string) (Guest, bool) {
	for _, known := range []struct {
		repository string
		guest      Guest
	}{
		{"dockurr/windows", Windows}, {"dockur/windows", Windows}, {"dockurr/windows-arm", Windows},
		{"dockurr/macos", MacOS}, {"dockur/macos", MacOS},
		{"qemux/qemu", Linux}, {"qemus/qemu", Linux}, {"qemux/qemu-arm", Linux},
		{"vmctl-demo", Demo},
	} {
		name, _, _ := strings.Cut(image, "@")
		if slash := strings.LastIndex(name, "/"); strings.Contains(name[slash+1:], ":") {
			name = name[:strings.LastIndex(name, ":")]
		}
		if name == known.repository || strings.HasSuffix(name, "/"+known.repository) {
			return known.guest, true
		}
	}
	return "", false
}
