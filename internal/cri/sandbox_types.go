package cri

import "time"

// NamespaceMode says whose Linux namespace a sandbox or container uses. The
// numbers are CRI's own (cri-api, api.proto, enum NamespaceMode).
type NamespaceMode int32

// The namespace modes of CRI v1.
const (
	NamespacePod       NamespaceMode = 0
	NamespaceContainer NamespaceMode = 1
	NamespaceNode      NamespaceMode = 2
)

// Protocol is the transport protocol of a port mapping, with CRI's numbers.
type Protocol int32

// The protocols that this project maps.
const (
	TCP Protocol = 0
	UDP Protocol = 1
)

// PortMapping asks the runtime to deliver HostIP:HostPort to ContainerPort of
// the sandbox's address. On containerd the CNI plugin portmap does the work, in
// the kernel; without that plugin the mapping is ignored in silence.
type PortMapping struct {
	Protocol      Protocol
	ContainerPort int
	HostPort      int
	HostIP        string
}

// DNSConfig is what the sandbox's /etc/resolv.conf says. A nil *DNSConfig makes
// the runtime copy the host's file.
type DNSConfig struct {
	Servers  []string
	Searches []string
	Options  []string
}

// SandboxConfig describes one pod sandbox. Name, Namespace, UID and Attempt
// together are its identity for the runtime.
type SandboxConfig struct {
	Name      string
	Namespace string
	UID       string
	Attempt   uint32

	// Hostname is at most 63 bytes; the guest images derive the MAC address
	// of the guest from it.
	Hostname string
	// LogDirectory is absolute; a container's log is LogDirectory/LogPath.
	LogDirectory string
	DNS          *DNSConfig
	PortMappings []PortMapping
	Labels       map[string]string
	Annotations  map[string]string

	// CgroupParent is a plain path ("/vmctl") for the cgroupfs driver and a
	// slice ("vmctl.slice") for systemd; see Client.CgroupParent.
	CgroupParent string
	Sysctls      map[string]string
	Privileged   bool
	// PIDNamespace must be the same in the sandbox and in its containers
	// (CRI-O refuses anything else).
	PIDNamespace NamespaceMode
}

// SandboxState is the runtime's word on a sandbox.
type SandboxState int32

// The sandbox states of CRI v1.
const (
	SandboxReady    SandboxState = 0
	SandboxNotReady SandboxState = 1
)

// Sandbox is one row of ListSandboxes.
type Sandbox struct {
	ID             string
	Name           string
	Namespace      string
	UID            string
	Attempt        uint32
	State          SandboxState
	CreatedAt      time.Time
	Labels         map[string]string
	Annotations    map[string]string
	RuntimeHandler string
}

// SandboxStatus is a sandbox and its address. IP is empty for a host-network
// sandbox and for one that is not ready.
type SandboxStatus struct {
	Sandbox
	IP            string
	AdditionalIPs []string
	// NetNSPath is the host path of the sandbox's network namespace, empty
	// where the runtime does not tell (cri-dockerd).
	NetNSPath string
}

// SandboxFilter selects sandboxes. The zero value selects all.
type SandboxFilter struct {
	ID     string
	Labels map[string]string
}
