package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"vmctl/internal/hint"
)

// LANHandler is the runtime handler whose pods are in the local network. CRI lets nobody
// choose a pod's network, but containerd lets each handler have its own (containerd
// docs/cri/config.md, cni_conf_dir of a runtime).
const LANHandler = "lan"

// NoLAN as Options.LAN takes the network of an earlier start away.
const NoLAN = "none"

// lanNetwork has pods in the local network that a link of this host is in: each has a
// macvlan link of its own, with an address from that network's DHCP server. The kernel
// lets nothing pass between the host and its own macvlan links.
type lanNetwork struct {
	name   string // of the CNI network
	master string // the host's link
	socket string // of the DHCP daemon
}

// render writes the conflist.
func (n lanNetwork) render(p plugins) ([]byte, error) {
	list := conflist{CNIVersion: p.version, Name: n.name, Plugins: []cniPlugin{{
		Type: "macvlan", Master: n.master, Mode: "bridge",
		IPAM: &cniIPAM{Type: "dhcp", DaemonSocketPath: n.socket},
	}}}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write CNI network: %w", err)
	}
	return append(data, '\n'), nil
}

// savedLAN is the link of the last start; "" if there was none.
func (i *Instance) savedLAN() string {
	data, err := os.ReadFile(i.paths.lanNetwork)
	var list conflist
	if err != nil || json.Unmarshal(data, &list) != nil || len(list.Plugins) == 0 {
		return ""
	}
	return list.Plugins[0].Master
}

// writeLAN writes the network of the link that the options or the last start name, and
// reports whether there is one.
func (i *Instance) writeLAN(p plugins) (bool, error) {
	master := i.options.LAN
	if master == "" {
		master = i.savedLAN()
	}
	if master == "" || master == NoLAN {
		err := os.Remove(i.paths.lanNetwork)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	if err := checkLAN(master, "/sys/class/net"); err != nil {
		return false, fmt.Errorf("local network: %w", err)
	}
	for _, name := range []string{"macvlan", "dhcp"} {
		if !executable(filepath.Join(p.dir, name)) {
			return false, hint.With(fmt.Errorf("local network: %w: CNI plugin %s in %s", ErrMissing, name, p.dir), "install the package containernetworking-plugins")
		}
	}
	data, err := lanNetwork{name: i.paths.cniName + "-lan", master: master, socket: i.paths.dhcpSocket}.render(p)
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(i.paths.lanNetwork), 0o755); err != nil {
		return false, err
	}
	return true, writeFile(i.paths.lanNetwork, data)
}

// checkLAN refuses links that carry no macvlan: one that is not there, loopback, and
// wireless ones, whose access points drop frames of addresses that did not log in. sys is
// /sys/class/net.
func checkLAN(name, sys string) error {
	choose := "choose a wired interface that is connected to the network: ip -br link"
	link, err := net.InterfaceByName(name)
	if err != nil {
		return hint.With(fmt.Errorf("interface %q: %w", name, err), "%s", choose)
	}
	if link.Flags&net.FlagLoopback != 0 {
		return hint.With(fmt.Errorf("interface %q is this host's loopback", name), "%s", choose)
	}
	for _, mark := range []string{"wireless", "phy80211"} {
		if _, err := os.Stat(filepath.Join(sys, name, mark)); err == nil {
			return hint.With(fmt.Errorf("interface %q is wireless: access points take no further addresses from one computer", name), "%s", choose)
		}
	}
	if link.Flags&net.FlagUp == 0 {
		return hint.With(fmt.Errorf("interface %q is down", name), "turn it on: ip link set %s up", name)
	}
	return nil
}

// dhcpLimit is how long the DHCP daemon may take until it listens.
const dhcpLimit = 5 * time.Second

// startDHCP starts the daemon of the CNI plugin dhcp, which keeps the leases of pods
// (containernetworking/plugins plugins/ipam/dhcp), unless it runs.
func (i *Instance) startDHCP(p plugins) error {
	if last, ok := readProcess(i.paths.dhcpProcess); ok && last.alive() {
		return nil
	}
	if err := os.Remove(i.paths.dhcpSocket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	log, err := os.OpenFile(i.paths.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(p.dir, "dhcp"), "daemon", "-socketpath", i.paths.dhcpSocket)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the DHCP daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	daemon, err := processOf(cmd.Process.Pid)
	if err == nil {
		err = daemon.write(i.paths.dhcpProcess)
	}
	for deadline := time.After(dhcpLimit); err == nil; {
		if _, statErr := os.Stat(i.paths.dhcpSocket); statErr == nil {
			return nil
		}
		select {
		case err = <-ended:
			err = fmt.Errorf("the DHCP daemon ended: %w", errors.Join(err, ErrDied))
		case <-deadline:
			err = errors.New("the DHCP daemon does not listen")
		case <-time.After(pollInterval / 5):
		}
	}
	return hint.With(err, "read the log: %s", i.paths.log)
}

// endDHCP ends it, if it runs.
func (i *Instance) endDHCP(ctx context.Context) error {
	p, ok := readProcess(i.paths.dhcpProcess)
	if !ok {
		return nil
	}
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := p.signal(sig); err != nil {
			return err
		}
		if waitUntil(ctx, dhcpLimit, func() bool { return !p.alive() }) {
			return os.RemoveAll(i.paths.dhcpProcess)
		}
	}
	return fmt.Errorf("the DHCP daemon (process %d) does not end", p.PID)
}
