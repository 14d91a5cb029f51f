package convert

import (
	"fmt"
	"time"
)

// Workload is one container that runs a virtual machine, in the terms that compose,
// Kubernetes and CRI share.
type Workload struct {
	Name string // of the service, pod or container
	// Hostname is the container's; the images make the guest's MAC address from it.
	Hostname string
	Image    string // reference as written
	// Origin is where it was read, for people: "compose.yml, service windows".
	Origin string
	// Env is the image's environment in the order of the file.
	Env     []EnvVar
	Ports   []Port
	Mounts  []Mount
	Devices []Device
	// Sysctls are kernel parameters of the pod's network namespace.
	Sysctls      map[string]string
	Capabilities []string // added, without CAP_
	Privileged   bool
	// StopGrace is how long a stop may take; 0 is not said.
	StopGrace time.Duration
	// Restart is "no", "on-failure" or "always"; "" is not said.
	Restart        string
	RuntimeHandler string // CRI runtime handler or Kubernetes RuntimeClass; "" is the default
	// LAN tells that the container is on a macvlan network, with an address of its own.
	LAN bool
}

// EnvVar is a variable of the environment. One with a Secret has no Value.
type EnvVar struct {
	Name, Value string
	// Secret says where the value is kept instead, in the words of the format.
	Secret string
	// Fetch is how a recipe gets a Secret; nil where no way is known.
	Fetch *Fetch
	// Comment is said beside the variable in a recipe.
	Comment string
}

// Fetch is how the value of a secret is got at every start. Exactly one is set.
type Fetch struct {
	File    string   // a file of this host with the value
	Env     string   // a variable of vmctl's own environment
	Command []string // a command that prints it
}

// Port is a forwarded port.
type Port struct {
	Name     string // "" is none
	Address  string // of the host; "" is all addresses
	Host     int    // 0 is any
	From     bool   // Host is the first of several that will do
	Guest    int
	Protocol string // "tcp" or "udp"
}

// Mount shows a path of the host in the container.
type Mount struct {
	// Source is a host path as written, relative to the file where it is relative,
	// or the name of a volume where Volume is set.
	Source   string
	Target   string
	ReadOnly bool
	Volume   bool
	// Size is how much a volume must hold, as "64Gi"; "" is not said.
	Size string
}

// Device passes a host device into the container. Exactly one of Path and CDI is set.
type Device struct {
	Path        string
	Target      string // in the container; "" is Path
	Permissions string // of "rwm"; "" is all
	CDI         string // a fully qualified CDI name, vendor/class=device
}

// Note is something that could not be carried over, or was changed on the way.
type Note struct {
	// Where is the place in the format's own terms, "services.windows.build".
	Where string
	Text  string
}

func (n Note) String() string { return fmt.Sprintf("%s: %s", n.Where, n.Text) }
