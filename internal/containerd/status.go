package containerd

import (
	"context"
	"os"
	"strings"
	"time"
)

// Status is what can be told of an instance. All but Running, PID, Version and
// Since are told whether it runs or not.
type Status struct {
	Running      bool
	PID          int    // of the daemon
	Version      string // of containerd, such as "2.4.2"
	Since        time.Time
	Socket       string // path
	Root         string // directory of images, metadata and configuration; survives Stop
	State        string // directory of what Stop clears away
	Log          string // file
	Bridge       string // link that the pods are on
	Subnet       string // of the pods, such as "10.213.0.0/24"; "" before the first start
	CgroupDriver string // "cgroupfs" or "systemd"; "" before the first start
	// Leftovers is whether a daemon that does not run any more has left pods, which
	// may still run.
	Leftovers bool
}

// Status tells whether the daemon's process runs, and where everything is. It asks
// the kernel, not the daemon: whether that answers is CRI's to say. It needs no
// root.
func (i *Instance) Status(context.Context) (Status, error) {
	s := Status{
		Socket: i.paths.socket, Root: i.paths.root, State: i.paths.state, Log: i.paths.log,
		Bridge: i.paths.bridge, CgroupDriver: i.cgroupDriver(),
	}
	if subnet := i.savedSubnet(); subnet.IsValid() {
		s.Subnet = subnet.String()
	}
	if p, ok := readProcess(i.paths.process); ok && p.alive() {
		s.Running, s.PID, s.Version, s.Since = true, p.PID, p.Version, p.Since
	} else {
		s.Leftovers = i.hasLeftovers()
	}
	return s, nil
}

// cgroupDriver is the one in the configuration that was written last.
func (i *Instance) cgroupDriver() string {
	text, err := os.ReadFile(i.paths.config)
	switch {
	case err != nil:
		return ""
	case strings.Contains(string(text), "SystemdCgroup = true"):
		return "systemd"
	}
	return "cgroupfs"
}
