package convert

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vmctl/internal/recipe"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// environment sorts the variables into the keys that a recipe has for them; the rest
// is env.
func (m *maker) environment() {
	special := m.specialEnv()
	values := map[string]string{}
	for i, e := range m.w.Env {
		if slices.ContainsFunc(m.w.Env[i+1:], func(later EnvVar) bool { return later.Name == e.Name }) {
			m.notes.add("env."+e.Name, "said twice; the last one counts")
			continue
		}
		values[e.Name] = e.Value
		switch take, ok := special[e.Name]; {
		case e.Secret != "":
			m.secret(e)
		case ok:
			take(e)
		case e.Value == "" && (e.Name == "VERSION" || e.Name == "BOOT"): // installed has it
		default:
			m.plainEnv(e)
		}
	}
	m.resolution(values["WIDTH"], values["HEIGHT"])
	m.installed(values)
}

// specialEnv are the variables that do not become env.
func (m *maker) specialEnv() map[string]func(EnvVar) {
	refused := func(why string) func(EnvVar) {
		return func(e EnvVar) { m.notes.add("env."+e.Name, "left out: %s", why) }
	}
	special := map[string]func(EnvVar){
		"RAM_SIZE":     func(e EnvVar) { m.size("memory", e) },
		"DISK_SIZE":    func(e EnvVar) { m.size("disk", e) },
		"CPU_CORES":    m.cpus,
		"TIMEOUT":      m.setTimeout,
		"QEMU_TIMEOUT": m.setTimeout,
		"NETWORK":      m.setNetwork,
		"DHCP":         m.setDHCP,
		"PROTECT":      func(e EnvVar) { m.viewerSwitch("protect", e) },
		"AUDIO":        func(e EnvVar) { m.viewerSwitch("audio", e) },
		"DISPLAY":      m.display,
		"WIDTH":        func(EnvVar) {}, // resolution has them
		"HEIGHT":       func(EnvVar) {},
		"ARGUMENTS":    m.arguments,
		"USER_PORTS":   m.userPorts,
		"WEB_PORT":     m.setWebPort,
		"COMMAND":      m.command,
		"STORAGE":      refused("the disks are where storage.path says"),
		"DISK_NAME":    refused("vmctl would not find the disk that it must protect"),
		"VNC_PORT":     refused("VNC is on port 5900 of the machine; write another host port in [[ports]]"),
		"SERIAL":       refused("the image sees on the serial port that the guest has started"),
		"SHUTDOWN":     refused("the guest is always shut down; cut off, it may lose its disk"),
	}
	for n := 2; n <= 6; n++ {
		special[fmt.Sprintf("DISK%d_SIZE", n)] = func(e EnvVar) { m.disk(n).size = e.Value }
		special[fmt.Sprintf("DEVICE%d", n)] = func(e EnvVar) { m.disk(n).device = e.Value }
	}
	return special
}

func (m *maker) plainEnv(e EnvVar) {
	if isSecretName(e.Name) && e.Value != "" {
		m.notes.add("env."+e.Name, "stands in the recipe in clear; [secrets] can take it from a file, a command or the keyring")
	}
	m.env.set(quoteKey(e.Name), tomlString(e.Value), e.Comment)
}

func (m *maker) secret(e EnvVar) {
	key := quoteKey(e.Name)
	switch f := e.Fetch; {
	case f == nil:
		m.notes.add("env."+e.Name, "its value is in %s, and is not carried over; write it in [secrets]", e.Secret)
	case f.File != "":
		m.secrets.set(key, "{ file = "+tomlString(f.File)+" }", "")
	case f.Env != "":
		m.secrets.set(key, "{ env = "+tomlString(f.Env)+" }", "")
	default:
		m.secrets.set(key, "{ command = "+quoteArray(f.Command)+" }", "")
	}
}

// size takes a size as the images do: a number alone means gibibytes below 130, and
// mebibytes from there on (qemus/qemu src/memory.sh).
func (m *maker) size(key string, e EnvVar) {
	value := strings.TrimSpace(e.Value)
	if n, err := strconv.Atoi(value); err == nil {
		unit := "G"
		if n >= 130 {
			unit = "M"
		}
		value += unit
	}
	if size, err := recipe.ParseSize(value); err == nil {
		value = size.String()
	}
	m.resources.text(key, value)
}

func (m *maker) cpus(e EnvVar) {
	n, err := recipe.ParseCPUs(e.Value)
	switch {
	case err != nil:
		m.resources.text("cpus", e.Value)
	case n.Word != "":
		m.resources.text("cpus", n.Word)
	default:
		m.resources.set("cpus", strconv.Itoa(n.Count), "")
	}
}

func (m *maker) setTimeout(e EnvVar) {
	n, err := strconv.Atoi(strings.TrimSpace(e.Value))
	if err != nil || n < 1 || n > 1<<20 {
		m.notes.add("env."+e.Name, "left out: %q is not a number of seconds", e.Value)
		return
	}
	m.timeout = time.Duration(n) * time.Second
}

// setNetwork takes a mode of the images (qemus/qemu src/network.sh). NAT is the default.
func (m *maker) setNetwork(e EnvVar) {
	mode := strings.ToLower(strings.TrimSpace(e.Value))
	switch {
	case mode == "" || slices.Contains([]string{"nat", "tap", "tun", "tuntap"}, mode) || recipe.Enabled(mode):
	case m.network == "lan":
	case strings.HasPrefix(mode, "user") || mode == "passt":
		m.network = "user"
	case strings.HasPrefix(mode, "n") || mode == "0" || mode == "off" || mode == "false":
		m.network = "none"
	default:
		m.plainEnv(e)
	}
}

func (m *maker) setDHCP(e EnvVar) {
	if recipe.Enabled(e.Value) {
		m.network = "lan"
	}
}

func (m *maker) viewerSwitch(key string, e EnvVar) {
	if recipe.Enabled(e.Value) {
		m.viewer.set(key, "true", "")
	}
}

func (m *maker) display(e EnvVar) {
	switch value := strings.ToLower(e.Value); value {
	case "", "web":
	case "vnc", "none":
		m.viewer.text("display", value)
	default:
		m.plainEnv(e)
	}
}

// resolution joins WIDTH and HEIGHT where both are said.
func (m *maker) resolution(width, height string) {
	switch {
	case width != "" && height != "":
		m.viewer.text("resolution", width+"x"+height)
	case width != "":
		m.plainEnv(EnvVar{Name: "WIDTH", Value: width})
	case height != "":
		m.plainEnv(EnvVar{Name: "HEIGHT", Value: height})
	}
}

// usbHost is QEMU's option for a USB device of the host (QEMU's documentation,
// "USB emulation").
var usbHost = regexp.MustCompile(`\s*-device\s+usb-host,(\S+)`)

// arguments takes USB devices out of QEMU's own arguments.
func (m *maker) arguments(e EnvVar) {
	rest := usbHost.ReplaceAllStringFunc(e.Value, func(found string) string {
		device := usbDevice(usbHost.FindStringSubmatch(found)[1])
		if device == "" {
			return found
		}
		t := table{header: "[[devices]]"}
		t.text("usb", device)
		m.deviceTables = append(m.deviceTables, t)
		m.usb = true
		return ""
	})
	if strings.Contains(rest, "-qmp tcp:") {
		m.notes.add("env.ARGUMENTS", "opens QEMU's control to all who reach the machine, without a password; vmctl does not need it: take -qmp out, and its port")
	}
	if rest = strings.TrimSpace(rest); rest != "" {
		m.plainEnv(EnvVar{Name: e.Name, Value: rest})
	}
}

// usbDevice is "vendor:product" or "bus-port" of QEMU's properties; "" where they
// name the device otherwise.
func usbDevice(properties string) string {
	p := map[string]string{}
	for _, item := range strings.Split(properties, ",") {
		name, value, _ := strings.Cut(item, "=")
		p[name] = value
	}
	vendor, err1 := strconv.ParseUint(p["vendorid"], 0, 16)
	product, err2 := strconv.ParseUint(p["productid"], 0, 16)
	switch {
	case err1 == nil && err2 == nil:
		return fmt.Sprintf("%04x:%04x", vendor, product)
	case p["hostbus"] != "" && p["hostport"] != "":
		return p["hostbus"] + "-" + p["hostport"]
	}
	return ""
}

// command takes out what vmctl itself appends to a command, which a pair of
// `vmctl render` has.
func (m *maker) command(e EnvVar) {
	own := strings.TrimSuffix(e.Value, "echo "+recipe.ReadyMarker+">COM1")
	if own != e.Value {
		own = strings.TrimRight(own, " ;&")
		if strings.HasPrefix(own, "(") && strings.HasSuffix(own, ")") {
			own = own[1 : len(own)-1]
		}
	}
	if own != "" {
		m.plainEnv(EnvVar{Name: e.Name, Value: own})
	}
}

// installed says what is installed where the file leaves it to the image, whose
// default changes from release to release.
func (m *maker) installed(values map[string]string) {
	name, value := "VERSION", ""
	switch m.guest {
	case recipe.Windows:
		value = "11"
	case recipe.MacOS:
		value = "14"
	case recipe.Linux:
		name, value = "BOOT", "alpine"
	}
	if value == "" || values[name] != "" || m.hasMedia() {
		return
	}
	m.env.set(name, tomlString(value), "what the image takes by itself")
	m.notes.add("env."+name, "not said; the image's own default is %q, and it must not change later", value)
}

func (m *maker) hasMedia() bool {
	return m.guest != recipe.MacOS && slices.ContainsFunc(m.w.Mounts, func(mount Mount) bool {
		return slices.Contains(m.contract.MediaTargets, mount.Target)
	})
}
