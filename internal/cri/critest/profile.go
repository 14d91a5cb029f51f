package critest

import "google.golang.org/grpc/codes"

// Profile is which runtime the fake behaves like, where they differ.
type Profile struct {
	Name    string // as Version tells it
	Version string
	// ReservedCode is how RunPodSandbox refuses a name in use. codes.OK returns
	// the id of the sandbox that has it, as CRI-O does.
	ReservedCode codes.Code
	// UnknownIDCode is how Stop calls answer an unknown id; codes.OK is success.
	UnknownIDCode codes.Code
	// KeepsFailedSandbox leaves a sandbox that is not ready, and its name, behind
	// when the network could not be set up.
	KeepsFailedSandbox bool
	// RuntimeConfig is whether the call of this name is implemented.
	RuntimeConfig bool
	// Events is whether the runtime tells of what happens.
	Events bool
	// SystemdCgroup is the cgroup driver.
	SystemdCgroup bool
	// SandboxImage is the pause image that verbose Status tells; "" tells none.
	SandboxImage string
	// NoCRI is a containerd whose CRI plugin is disabled.
	NoCRI bool
}

// Containerd2 is containerd 2.x, the default.
func Containerd2() Profile {
	return Profile{
		Name:          "containerd",
		Version:       "v2.4.2",
		ReservedCode:  codes.FailedPrecondition,
		RuntimeConfig: true,
		Events:        true,
	}
}

// Containerd16 is containerd 1.6.
func Containerd16() Profile {
	return Profile{
		Name:               "containerd",
		Version:            "1.6.20",
		ReservedCode:       codes.Unknown,
		UnknownIDCode:      codes.NotFound,
		KeepsFailedSandbox: true,
		SandboxImage:       "registry.k8s.io/pause:3.6",
	}
}

// CRIO is CRI-O 1.34, as far as sandboxes go.
func CRIO() Profile {
	return Profile{
		Name:          "cri-o",
		Version:       "1.34.0",
		RuntimeConfig: true,
		SandboxImage:  "registry.k8s.io/pause:3.10",
	}
}
