package convert

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/distribution/reference"

	"vmctl/internal/recipe"
)

// Recipe writes the workload as a recipe: only what differs from a recipe's defaults.
// The notes say what was changed on the way. The text may still have problems, of
// values that the images do not know: recipe.Parse tells.
func (w Workload) Recipe() ([]byte, []Note, error) {
	m := &maker{w: w, disks: map[int]*disk{}}
	if w.LAN {
		m.network = "lan"
	}
	m.image()
	m.environment()
	m.mounts()
	m.devices()
	m.security()
	if m.network != "" {
		m.top.text("network", m.network)
	}
	if m.w.RuntimeHandler != "" {
		m.top.text("runtime_handler", m.w.RuntimeHandler)
	}
	m.ports()
	m.lifecycle()
	heading := ""
	if w.Origin != "" {
		heading = "# From " + strings.Map(printable, w.Origin) + ".\n"
	}
	return writeTables(heading, m.tables()), m.notes, nil
}

// printable keeps what a comment may hold.
func printable(c rune) rune {
	if unicode.IsPrint(c) && c != utf8.RuneError {
		return c
	}
	return ' '
}

// maker turns a Workload into the tables of a recipe.
type maker struct {
	w        Workload
	guest    recipe.Guest
	contract recipe.Contract
	notes    remarks

	top, resources, env, secrets, storage, viewer, life table
	portTables, mountTables, deviceTables               []table
	disks                                               map[int]*disk

	network string        // the mode; "" is NAT
	timeout time.Duration // TIMEOUT; 0 is not said
	webPort int           // where the image shows the viewer; 0 is as always
	usb     bool          // USB devices are named
}

func (m *maker) tables() []table {
	m.resources.header, m.env.header, m.secrets.header = "[resources]", "[env]", "[secrets]"
	m.storage.header, m.viewer.header, m.life.header = "[storage]", "[viewer]", "[lifecycle]"
	out := []table{m.top, m.resources, m.env, m.secrets, m.storage}
	out = append(out, m.portTables...)
	out = append(out, m.mountTables...)
	out = append(out, m.diskTables()...)
	out = append(out, m.deviceTables...)
	return append(out, m.viewer, m.life)
}

// image says what runs: the guest alone where the image is the one that a recipe
// takes by itself.
func (m *maker) image() {
	guest, known := recipe.GuestOf(m.w.Image)
	if !known {
		guest = m.guessGuest()
	}
	m.guest = guest
	m.contract = (&recipe.Recipe{Guest: guest}).Contract()
	image := m.w.Image
	if named, err := reference.ParseNormalizedNamed(image); err == nil {
		image = m.pin(named, known)
	}
	switch {
	case image == "":
		m.notes.add("image", "missing: write the image of the machine")
	case image == m.contract.DefaultImage:
		m.top.text("guest", string(guest))
		return
	default:
		m.top.text("image", image)
	}
	if !known && guest != "" {
		m.top.text("guest", string(guest))
	}
}

// pin completes an image without a tag. The newest image may treat a disk otherwise
// than the one that made it, so a recipe names a release.
func (m *maker) pin(named reference.Named, known bool) string {
	tagged, isTagged := named.(reference.Tagged)
	_, isDigested := named.(reference.Digested)
	switch {
	case isDigested:
	case isTagged && tagged.Tag() == "latest":
		m.notes.add("image", "%s changes under its name; write a release, as in %q", named.String(), m.contract.DefaultImage)
	case !isTagged && known:
		_, tag, _ := strings.Cut(m.contract.DefaultImage[strings.LastIndex(m.contract.DefaultImage, "/"):], ":")
		m.notes.add("image", "%q has no tag; the release that vmctl knows is taken, %s", m.w.Image, tag)
		return named.String() + ":" + tag
	case !isTagged:
		m.notes.add("image", "%q has no tag; write which release", m.w.Image)
	}
	return named.String()
}

// guessGuest takes an image that is not known for what its name says.
func (m *maker) guessGuest() recipe.Guest {
	name := strings.ToLower(m.w.Image)
	for word, guest := range map[string]recipe.Guest{"windows": recipe.Windows, "macos": recipe.MacOS, "qemu": recipe.Linux} {
		if strings.Contains(name, word) {
			m.notes.add("image", "%q is not an image that vmctl knows; it is taken to keep the contract of guest = %q", m.w.Image, guest)
			return guest
		}
	}
	m.notes.add("image", `%q is not an image that vmctl knows; write guest = "windows", "macos" or "linux"`, m.w.Image)
	return ""
}

// security is minimal for a container that was not privileged, unless it asked for
// more than a minimal one has.
func (m *maker) security() {
	for _, name := range sortedKeys(m.w.Sysctls) {
		if name != "net.ipv4.ip_forward" {
			m.notes.add("sysctls."+name, "not carried over: a recipe has no such key")
		}
	}
	if m.w.Privileged {
		return
	}
	var more []string
	for _, c := range m.w.Capabilities {
		if c != "NET_ADMIN" {
			more = append(more, c)
		}
	}
	switch {
	case len(more) > 0:
		m.notes.add("capabilities", "%s: only a privileged machine has them, so it becomes one; write security = \"minimal\" to do without", strings.Join(more, ", "))
	case m.network == "lan":
		m.notes.add("security", "a guest with an address of its own needs devices that only a privileged machine has, so it becomes one")
	default:
		m.top.text("security", "minimal")
	}
}
