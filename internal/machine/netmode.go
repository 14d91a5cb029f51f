package machine

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// networkMode is how a guest is connected to its pod. The images choose it at each start,
// and may fall back to another one than was asked for.
type networkMode string

const (
	modeUnknown networkMode = ""     // its log does not tell yet
	modeNAT     networkMode = "NAT"  // all ports of the pod's address lead to the guest
	modeUser    networkMode = "user" // passt or slirp: only the ports of USER_PORTS do
	modeLAN     networkMode = "LAN"  // the guest has an address of its own in the LAN
)

// modeLine is what the images log of it: "❯ Guest: 172.30.1.2 | Mode: NAT | MAC: ...",
// "Mode: User (passt)", "Mode: DHCP" (qemus/qemu src/network.sh).
var modeLine = regexp.MustCompile(`Guest: .*\| Mode: (\S+)`)

func modeOf(line string) networkMode {
	m := modeLine.FindStringSubmatch(line)
	if m == nil {
		return modeUnknown
	}
	switch strings.ToLower(m[1]) {
	case "user":
		return modeUser
	case "dhcp":
		return modeLAN
	case "nat":
		return modeNAT
	}
	return modeUnknown
}

// networkMode reads the mode from the log of the machine's last start.
func (h *handle) networkMode() (mode networkMode) {
	h.findInLog(func(line string) bool {
		mode = modeOf(line)
		return mode != modeUnknown
	})
	return mode
}

// userPorts are those that lead to the guest in user mode.
func (h *handle) userPorts() string {
	for _, v := range h.recipe.Environment() {
		if v.Name == recipe.UserPorts {
			return v.Value
		}
	}
	return ""
}

// explainSilence adds to a check in which the pod's address did not answer what the mode
// of the guest's network and the machine's phase tell: which hop it is, and what to do.
// userPorts are those that the guest was started with.
func explainSilence(r portfwd.Result, mode networkMode, phase Phase, userPorts string) portfwd.Result {
	if r.State != portfwd.NotYet || r.Hop != portfwd.HopPod {
		return r
	}
	port := strconv.Itoa(r.Forward.GuestPort)
	switch {
	case imagesOwn(r.Forward): // the image itself listens there
	case mode == modeUnknown && phase == Running: // its log was not written by an image that we know
	case mode == modeUnknown:
		r.Detail += "; the guest's network is not there yet"
	case mode == modeLAN:
		r.Hop = portfwd.HopGuest
		r.Hint = "the guest has an address of its own in the LAN: look it up in the guest or the router, and connect there"
	case mode == modeUser && !slices.Contains(splitPorts(userPorts), port):
		r.State, r.Hop = portfwd.Broken, portfwd.HopGuest
		r.Detail = fmt.Sprintf("the guest has user-mode networking, and port %s is not among its USER_PORTS", port)
		r.Hint = "add a port for it to the recipe, or USER_PORTS with it; or give the guest NAT: network = \"nat\", which takes /dev/net/tun and NET_ADMIN"
	default:
		r.Hop = portfwd.HopGuest
		r.Detail += fmt.Sprintf("; the guest's network is %s, and nothing in it listens on port %s", mode, port)
	}
	if phase == Installing {
		r.Detail = "the guest is being installed: " + r.Detail
	}
	return r
}

// imagesOwn tells that the image and not the guest listens on the port.
func imagesOwn(f portfwd.Forward) bool {
	return f.Protocol == portfwd.TCP && (f.GuestPort == viewerPort || f.GuestPort == vncPort)
}

// splitPorts reads USER_PORTS: numbers, each perhaps with /tcp or /udp, between commas or
// spaces (qemus/qemu src/network.sh).
func splitPorts(text string) []string {
	var out []string
	for _, p := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		number, _, _ := strings.Cut(p, "/")
		out = append(out, number)
	}
	return out
}
