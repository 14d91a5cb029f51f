package machine

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// connectionsScript prints the pod's sockets, and then the connections that its kernel
// translates for the guest. grep ends with 2 where there is no such list.
const connectionsScript = `cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; echo "` + connectionsMark + `"; grep -w ESTABLISHED /proc/net/nf_conntrack; test $? -lt 2`

const connectionsMark = "---"

// connected tells whether a TCP connection from outside leads to the machine: to its viewer,
// or to any port of its guest.
//
// No process of ours sees those that a port mapping carries, and a user other than root does
// not see the host's. The pod sees them all, whatever they come by, and an exec reads it: its
// own sockets are those of the viewer, of VNC and of user-mode networks (passt and QEMU listen
// in the pod), and its connection tracking has what is translated to the guest.
func (m *Manager) connected(ctx context.Context, mc Machine) (bool, error) {
	pod, err := netip.ParseAddr(mc.Address)
	if err != nil {
		return false, fmt.Errorf("address of the pod: %w", err)
	}
	r, err := m.Runtime.Exec(ctx, mc.ContainerID, []string{"sh", "-c", connectionsScript}, 10*time.Second)
	if err != nil {
		return false, err
	}
	sockets, tracked, ok := strings.Cut(string(r.Stdout), connectionsMark+"\n")
	if !ok || r.ExitCode != 0 {
		return false, errors.New("the pod does not list its connections: " + oneLine(string(r.Stderr)))
	}
	return socketsUsed(sockets, pod) || translated(tracked, pod), nil
}

// The states of /proc/net/tcp (Linux include/net/tcp_states.h).
const (
	tcpEstablished = "01"
	tcpListen      = "0A"
)

// socketsUsed looks in the text of /proc/net/tcp and tcp6 for connections to what listens in
// the pod. Those on loopback count for the screen's ports only: the runtime's streams come
// from there, and so does the image's own talk.
func socketsUsed(text string, pod netip.Addr) bool {
	listens := map[uint16]bool{}
	var open []netip.AddrPort
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		local, ok := procAddress(fields[1])
		switch {
		case !ok:
		case fields[3] == tcpListen:
			listens[local.Port()] = true
		case fields[3] == tcpEstablished:
			open = append(open, local)
		}
	}
	for _, local := range open {
		screen := local.Port() == viewerPort || local.Port() == vncPort
		if listens[local.Port()] && (local.Addr() == pod || local.Addr().IsLoopback() && screen) {
			return true
		}
	}
	return false
}

// procAddress reads an address as /proc/net/tcp has it: words of four bytes in the host's
// order, little endian on all that vmctl runs on, and the port.
func procAddress(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if !ok || err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		raw[i], raw[i+1], raw[i+2], raw[i+3] = raw[i+3], raw[i+2], raw[i+1], raw[i]
	}
	address, ok := netip.AddrFromSlice(raw)
	n, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(address.Unmap(), uint16(n)), ok && err == nil
}

// translated looks in lines of /proc/net/nf_conntrack for a connection that came to the pod's
// address: the first dst of a line is what the caller has dialled.
func translated(text string, pod netip.Addr) bool {
	for line := range strings.Lines(text) {
		for _, field := range strings.Fields(line) {
			if to, ok := strings.CutPrefix(field, "dst="); ok {
				if address, err := netip.ParseAddr(to); err == nil && address == pod {
					return true
				}
				break
			}
		}
	}
	return false
}
