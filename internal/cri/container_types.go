package cri

import "time"

// Mount is a bind mount. A missing HostPath is created as an empty directory by
// most runtimes, also where a file was meant: check before.
type Mount struct {
	HostPath      string
	ContainerPath string
	ReadOnly      bool
}

// Device passes a host device node. Permissions is a subset of "rwm" and must
// not be empty.
type Device struct {
	HostPath      string
	ContainerPath string
	Permissions   string
}

// EnvVar is one environment variable of a container, kept in order.
type EnvVar struct {
	Name  string
	Value string
}

// Seccomp names a seccomp profile. The empty value sends none, which runtimes
// take as unconfined.
type Seccomp string

// The seccomp profiles that this project asks for.
const (
	SeccompNone           Seccomp = ""
	SeccompRuntimeDefault Seccomp = "runtime/default"
)

// ContainerConfig describes one container of a sandbox.
type ContainerConfig struct {
	Name    string
	Attempt uint32
	// Image is a fully qualified reference or an image ID.
	Image string
	// Command replaces the image's ENTRYPOINT, Args its CMD; empty keeps them.
	Command      []string
	Args         []string
	WorkingDir   string
	Env          []EnvVar
	Mounts       []Mount
	Devices      []Device
	CDIDevices   []string // fully qualified names; containerd before 1.7 ignores them
	Labels       map[string]string
	Annotations  map[string]string
	LogPath      string
	Privileged   bool
	Capabilities []string
	Seccomp      Seccomp
	// Root runs the process as user 0, also where the image names another user.
	Root         bool
	PIDNamespace NamespaceMode
	// MemoryLimit is in bytes; 0 is no limit.
	MemoryLimit int64
}

// ContainerState is the runtime's word on a container.
type ContainerState int32

// The container states of CRI v1.
const (
	ContainerCreated ContainerState = 0
	ContainerRunning ContainerState = 1
	ContainerExited  ContainerState = 2
	ContainerUnknown ContainerState = 3
)

// Container is one row of ListContainers.
type Container struct {
	ID          string
	SandboxID   string
	Name        string
	Attempt     uint32
	Image       string
	ImageRef    string
	State       ContainerState
	CreatedAt   time.Time
	Labels      map[string]string
	Annotations map[string]string
}

// ContainerStatus is a container with its times and its end. Times are zero
// where they have not come yet.
type ContainerStatus struct {
	Container
	StartedAt  time.Time
	FinishedAt time.Time
	ExitCode   int
	Reason     string
	Message    string
	LogPath    string
}

// ContainerFilter selects containers. The zero value selects all.
type ContainerFilter struct {
	ID        string
	SandboxID string
	Labels    map[string]string
}

// ExecResult is what a command run by Exec printed and returned.
type ExecResult struct {
	Stdout   []byte
	Stderr   []byte
	ExitCode int
}
