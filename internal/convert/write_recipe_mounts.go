package convert

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"vmctl/internal/recipe"
)

// disk is a further disk of the machine.
type disk struct{ size, path, device string }

func (m *maker) disk(n int) *disk {
	if m.disks[n] == nil {
		m.disks[n] = &disk{}
	}
	return m.disks[n]
}

// diskNumber reads the number of "/storage2" or "/disk2".
func diskNumber(target, prefix string) (int, bool) {
	digit, ok := strings.CutPrefix(target, prefix)
	n, err := strconv.Atoi(digit)
	return n, ok && err == nil && n >= 2 && n <= 6
}

func (m *maker) diskTables() []table {
	var out []table
	for _, n := range slices.Sorted(maps.Keys(m.disks)) {
		d := m.disks[n]
		t := table{header: "[[disks]]"}
		t.text("name", fmt.Sprintf("disk%d", n))
		t.set("number", strconv.Itoa(n), "")
		switch {
		case d.device != "":
			t.text("device", d.device)
		case d.size == "":
			m.notes.add(fmt.Sprintf("disks.disk%d", n), "how large it is, is not known; write its size")
			t.set("size", `"16G"`, "the image's default; write what it has")
		default:
			size := &maker{}
			size.size("size", EnvVar{Value: d.size})
			t.lines = append(t.lines, size.resources.lines...)
		}
		if d.path != "" && d.device == "" {
			t.text("path", d.path)
		}
		out = append(out, t)
	}
	return out
}

// mounts sorts the mounts into storage, disks, devices and mounts. Volumes that
// only the other tool knows were noted by its reader.
func (m *maker) mounts() {
	hasStorage := false
	for _, mount := range m.w.Mounts {
		target := path.Clean(mount.Target)
		n, isDisk := diskNumber(target, "/storage")
		switch {
		case target == storageMount:
			hasStorage = true
			m.mainStorage(mount)
		case isDisk && mount.Volume:
			m.disk(n).size = cmp.Or(m.disk(n).size, claimSize(mount.Size))
		case isDisk:
			m.disk(n).path = mount.Source
		case mount.Volume:
		case mount.Source == usbDevices || target == usbDevices:
			m.noteUSB()
		case strings.HasPrefix(mount.Source, "/dev/"):
			m.w.Devices = append(m.w.Devices, Device{Path: mount.Source, Target: target})
		default:
			t := table{header: "[[mounts]]"}
			t.text("source", mount.Source)
			t.text("target", mount.Target)
			if mount.ReadOnly {
				t.set("read_only", "true", "")
			}
			m.mountTables = append(m.mountTables, t)
		}
	}
	if !hasStorage && len(m.w.Mounts) > 0 {
		m.notes.add("storage", "nothing was mounted at /storage, so the disk was lost with the container; the machine keeps its own")
	}
}

func (m *maker) mainStorage(mount Mount) {
	if !mount.Volume {
		m.storage.text("path", mount.Source)
		return
	}
	size := claimSize(mount.Size)
	if size != "" && !slices.ContainsFunc(m.w.Env, func(e EnvVar) bool { return e.Name == "DISK_SIZE" }) {
		m.resources.set("disk", tomlString(size), "as much as the volume holds")
	}
}

// claimSize writes the size of a volume, "64Gi", as a recipe does; "" where it says
// none. What is not a whole number of mebibytes is rounded down, to fit.
func claimSize(quantity string) string {
	q, err := resource.ParseQuantity(quantity)
	if err != nil || q.Value() < recipe.MiB {
		return ""
	}
	return recipe.Size{Bytes: q.Value() / recipe.MiB * recipe.MiB}.String()
}

func (m *maker) devices() {
	for _, d := range m.w.Devices {
		target := cmp.Or(d.Target, d.Path)
		n, isDisk := diskNumber(target, "/disk")
		switch {
		case d.CDI != "":
			t := table{header: "[[devices]]"}
			t.text("cdi", d.CDI)
			m.deviceTables = append(m.deviceTables, t)
		case d.Path == "/dev/kvm" || d.Path == "/dev/net/tun" || d.Path == "/dev/vhost-net":
		case d.Path == usbDevices || strings.HasPrefix(d.Path, usbDevices+"/"):
			m.noteUSB()
		case isDisk:
			m.disk(n).device = d.Path
		case m.isDiskDevice(d.Path):
		default:
			t := table{header: "[[devices]]"}
			t.text("path", d.Path)
			if target != d.Path {
				t.text("target", target)
			}
			if d.Permissions != "" && d.Permissions != "rwm" {
				t.text("permissions", d.Permissions)
			}
			m.deviceTables = append(m.deviceTables, t)
		}
	}
}

// isDiskDevice tells whether a device is a disk by DEVICE2 to DEVICE6.
func (m *maker) isDiskDevice(path string) bool {
	for _, d := range m.disks {
		if d.device == path {
			return true
		}
	}
	return false
}

// usbDevices is where the device nodes of USB are.
const usbDevices = "/dev/bus/usb"

// noteUSB tells how a recipe names USB devices, where none was named.
func (m *maker) noteUSB() {
	if !m.usb {
		m.notes.add("devices."+usbDevices, `not carried over as a whole; name each device: [[devices]] usb = "vendor:product", as lsusb shows it`)
	}
}
