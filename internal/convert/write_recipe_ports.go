package convert

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vmctl/internal/recipe"
)

// The ports that all images serve themselves (qemus/qemu src/server.sh).
const (
	screenPort = 8006
	rfbPort    = 5900
)

func (m *maker) setWebPort(e EnvVar) {
	n, err := strconv.Atoi(e.Value)
	if err != nil || n == screenPort {
		return
	}
	m.webPort = n
	m.notes.add("env.WEB_PORT", "left out: the viewer is on port 8006 of the machine; the host's port stays the same")
}

// userPorts notes what a recipe does not forward: the list itself is made from
// [[ports]].
func (m *maker) userPorts(e EnvVar) {
	for _, item := range strings.Split(e.Value, ",") {
		number, _, _ := strings.Cut(strings.TrimSpace(item), "/")
		n, err := strconv.Atoi(number)
		if err == nil && !slices.ContainsFunc(m.w.Ports, func(p Port) bool { return p.Guest == n }) {
			m.notes.add("env.USER_PORTS", "%s is not carried over, as no port of the host leads there; for one write [[ports]]", item)
		}
	}
}

func (m *maker) ports() {
	var seen []string
	for _, p := range m.w.Ports {
		if m.webPort != 0 && p.Guest == m.webPort {
			p.Guest = screenPort
		}
		p.Protocol = cmp.Or(strings.ToLower(p.Protocol), "tcp")
		key := fmt.Sprintf("%d/%s", p.Guest, p.Protocol)
		where := "ports." + key
		switch {
		case p.Protocol != "tcp" && p.Protocol != "udp":
			m.notes.add(where, "left out: vmctl forwards TCP and UDP")
		case p.Guest == rfbPort && p.Protocol == "udp":
			m.notes.add(where, "left out: VNC uses TCP only")
		case slices.Contains(seen, key):
			m.notes.add(where, "left out: a port of the guest is forwarded once")
		default:
			seen = append(seen, key)
			m.portTables = append(m.portTables, m.port(p, where))
		}
	}
	if m.network != "lan" && !slices.Contains(seen, "8006/tcp") {
		m.notes.add("ports", "none leads to 8006, so the machine has no viewer; for one write [[ports]] guest = 8006")
	}
}

func (m *maker) port(p Port, where string) table {
	t := table{header: "[[ports]]"}
	if name := portName(p); name != "" {
		t.text("name", name)
	}
	t.set("guest", strconv.Itoa(p.Guest), "")
	switch {
	case p.Host != 0 && p.From:
		t.text("host", strconv.Itoa(p.Host)+"+")
	case p.Host != 0:
		t.set("host", strconv.Itoa(p.Host), "")
	case p.Guest >= 1024:
		t.text("host", strconv.Itoa(p.Guest)+"+")
	}
	if p.Protocol == "udp" {
		t.text("protocol", "udp")
	}
	address := cmp.Or(p.Address, "0.0.0.0")
	ip, err := netip.ParseAddr(address)
	switch {
	case err == nil && ip.IsLoopback() && address == recipe.Loopback:
	case p.Guest == rfbPort && (err != nil || !ip.IsLoopback()):
		m.notes.add(where, "VNC never asks for a password, so it is forwarded on 127.0.0.1 only, not on %s", address)
	default:
		t.text("address", address)
		if p.Guest == screenPort && !recipe.Enabled(m.w.value("PROTECT")) {
			m.notes.add(where, "whoever reaches %s sees the screen, as before; take the address out to have it on this host only, or write viewer.protect = true", address)
		}
	}
	return t
}

// portLabel is what a recipe takes for a port's name.
var portLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func portName(p Port) string {
	known := map[int]string{screenPort: "viewer", rfbPort: "vnc", 3389: "rdp", 22: "ssh"}
	switch name := known[p.Guest]; {
	case name != "" && p.Protocol == "udp":
		return name + "-udp"
	case name != "":
		return name
	case portLabel.MatchString(p.Name) && !slices.Contains([]string{"viewer", "vnc", "rdp", "rdp-udp", "ssh", "ssh-udp"}, p.Name):
		return p.Name
	}
	return ""
}

// lifecycle says how the machine stops and starts again. Too short a grace is raised:
// a guest that is killed may lose its disk.
func (m *maker) lifecycle() {
	grace := (m.w.StopGrace + time.Second - 1).Truncate(time.Second)
	usual := m.contract.StopGrace
	if m.timeout > 0 {
		grace = max(grace, m.timeout+recipe.StopMargin)
	} else if grace > 0 && grace < usual {
		m.notes.add("stop grace", "%s is raised to %s, which the guest may need to shut down; one that is killed may lose its disk", seconds(grace), seconds(usual))
		grace = usual
	}
	if grace > 0 && grace != usual {
		m.life.text("stop_grace", seconds(max(grace, minGrace)))
	}
	if m.w.Restart != "" && m.w.Restart != "no" {
		m.life.text("restart", m.w.Restart)
	}
}

// minGrace is the shortest that a recipe takes.
const minGrace = 30 * time.Second

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) + "s" }
