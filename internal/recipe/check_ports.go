package recipe

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"

	"vmctl/internal/portfwd"
)

// portLabel is a port's name: as an IANA service name, but as long as it likes.
var portLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func (d *reader) checkPorts(r *Recipe) {
	for i, p := range r.Ports {
		at := fmt.Sprintf("ports[%d]", i)
		if p.Guest == 0 {
			d.report(at+".guest", "missing; write the port that the guest listens on")
		}
		if !portLabel.MatchString(p.Name) {
			d.report(at+".name", "must be lower-case letters, digits and inner hyphens, not %q", p.Name)
		}
		if _, err := netip.ParseAddr(p.Address); err != nil {
			d.report(at+".address", `not an IP address: %q; write one of this host, such as "127.0.0.1"`, p.Address)
		} else if p.Guest == vncPort && !loopback(p.Address) {
			d.report(at+".address", "port 5900 never asks for a password; forward it on 127.0.0.1 only")
		}
		if p.Via == string(portfwd.Stream) && p.Protocol == UDP {
			d.report(at+".via", `stream carries no UDP; write "relay" or "auto"`)
		}
		for j, q := range r.Ports[:i] {
			d.checkPair(at, p, fmt.Sprintf("ports[%d]", j), q)
		}
	}
}

// checkPair reports what two ports may not have in common.
func (d *reader) checkPair(at string, p Port, other string, q Port) {
	if p.Name == q.Name {
		d.report(at+".name", "%q is already the name of %s", p.Name, other)
	}
	if p.Protocol != q.Protocol {
		return
	}
	if p.Guest == q.Guest && p.Guest != 0 {
		d.report(at+".guest", "%d/%s is already forwarded by %s (%s)", p.Guest, p.Protocol, other, q.Name)
	}
	if p.Host.Mode == HostPortExact && p.Host == q.Host && sameAddress(p.Address, q.Address) {
		d.report(at+".host", `%d/%s is already used by %s (%s); write another number, or "any"`, p.Host.Number, p.Protocol, other, q.Name)
	}
}

// sameAddress tells whether two listeners on these addresses get into each other's
// way: on the same one, or on all.
func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && (x == y || x.IsUnspecified() || y.IsUnspecified())
}

// storageTarget is where all images keep the guest's state.
const storageTarget = "/storage"

func (d *reader) checkMounts(r *Recipe) {
	seen := map[string]int{}
	for i, m := range r.Mounts {
		at := fmt.Sprintf("mounts[%d]", i)
		if m.Source == "" {
			d.report(at+".source", "missing; write a path of this host")
		}
		target := path.Clean(m.Target)
		switch {
		case m.Target == "":
			d.report(at+".target", "missing; write a path in the container, such as %q", "/shared")
			continue
		case !path.IsAbs(m.Target):
			d.report(at+".target", "must be an absolute path in the container, not %q", m.Target)
			continue
		case target == storageTarget:
			d.report(at+".target", "the machine's disks are mounted here; write storage.path to say where they are kept")
		case occupied(target):
			d.report(at+".target", "%s belongs to the image; write another path, such as %q", target, "/shared")
		}
		if first, ok := seen[target]; ok {
			d.report(at+".target", "%s is already the target of mounts[%d]", target, first)
			continue
		}
		seen[target] = i
	}
}

// occupied tells whether a mount would hide what the image needs to run. The files
// in /run that the images expect to be replaced are allowed.
func occupied(target string) bool {
	if target == "/" || target == "/run/shm" {
		return true
	}
	for _, dir := range []string{"/proc", "/sys", "/dev", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc", "/run"} {
		if target == dir || dir != "/run" && dir != "/dev" && dir != "/usr" && dir != "/etc" && strings.HasPrefix(target, dir+"/") {
			return true
		}
	}
	return false
}
