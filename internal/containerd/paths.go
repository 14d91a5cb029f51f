package containerd

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
)

// The directories under which every instance has its own, named after it.
const (
	runtimesDir = "/var/lib/vmctl/runtime" // durable: images, configuration, subnet
	statesDir   = "/run/vmctl"             // gone after a reboot: sockets, mounts, leases
	logsDir     = "/var/log/vmctl"
)

// Containerd's shims listen here whatever containerd's own state directory is
// (containerd: pkg/shim, socketRoot), and libcni remembers attachments there
// (containernetworking/cni: libcni, CacheDir).
const (
	shimSocketDir = "/run/containerd/s"
	cniResultsDir = "/var/lib/cni/results"
)

// paths are all files and directories of one instance.
type paths struct {
	name string

	root       string // everything durable of this instance; also its lock
	containerd string // containerd's own root: images and metadata
	config     string // containerd's configuration
	cniConf    string // directory of network
	network    string // the conflist: remembers the subnet
	lanNetwork string // the conflist of the local network, in a directory of its own: remembers the link
	opt        string // where containerd would install things, else /opt/containerd
	pause      string // copy of the pause archive

	state       string // everything that lives as long as the daemon
	daemon      string // containerd's own state: pods' namespaces, root file systems
	runc        string // runc's state
	ipam        string // address leases
	process     string // which process the daemon is
	dhcpProcess string // which one the DHCP daemon is
	dhcpSocket  string
	socket      string
	ttrpc       string
	debug       string
	log         string
	bridge      string // the link's name
	cniName     string // the CNI network's name, in the comments of iptables rules
	unit        string // the systemd unit
}

func pathsOf(name string) paths {
	root, state := filepath.Join(runtimesDir, name), filepath.Join(statesDir, name)
	return paths{
		name:        name,
		root:        root,
		containerd:  filepath.Join(root, "containerd"),
		config:      filepath.Join(root, "containerd.toml"),
		cniConf:     filepath.Join(root, "cni"),
		network:     filepath.Join(root, "cni", "10-vmctl.conflist"),
		lanNetwork:  filepath.Join(root, "cni-lan", "10-vmctl-lan.conflist"),
		opt:         filepath.Join(root, "opt"),
		pause:       filepath.Join(root, "pause.tar"),
		state:       state,
		daemon:      filepath.Join(state, "state"),
		runc:        filepath.Join(state, "runc"),
		ipam:        filepath.Join(state, "ipam"),
		process:     filepath.Join(state, "daemon.json"),
		dhcpProcess: filepath.Join(state, "dhcp.json"),
		dhcpSocket:  filepath.Join(state, "dhcp.sock"),
		socket:      SocketOf(name),
		ttrpc:       SocketOf(name) + ".ttrpc",
		debug:       filepath.Join(state, "debug.sock"),
		log:         filepath.Join(logsDir, "containerd-"+name+".log"),
		bridge:      bridgeOf(name),
		cniName:     "vmctl-" + name,
		unit:        "vmctl-runtime-" + name + ".service",
	}
}

// SocketOf is the path of the socket of the instance with that name ("" is
// DefaultName), whether it runs or not.
func SocketOf(name string) string {
	if name == "" {
		name = DefaultName
	}
	return filepath.Join(statesDir, name, "containerd.sock")
}

// bridgeOf names the bridge. A link's name has at most 15 bytes (Linux: IFNAMSIZ
// is 16), so that an instance's own name may not fit.
func bridgeOf(name string) string {
	if name == DefaultName {
		return "vmctl0"
	}
	sum := sha256.Sum256([]byte(name))
	return "vmctl-" + hex.EncodeToString(sum[:3])
}
