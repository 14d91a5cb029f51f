package recipe

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Device passes something of the host to the guest or its container. Exactly one of
// Path, CDI and USB is set.
type Device struct {
	Path        string // a device node of the host, below /dev
	Target      string // the node in the container; "" is Path
	Permissions string // of "rwm": read, write, make nodes; "" is all
	CDI         string // vendor/class=name of the Container Device Interface
	USB         string // vendor:product in hexadecimal, or bus-port as in "1-2.3"
}

var (
	// cdiName is a fully qualified device name (Container Device Interface
	// specification, SPEC.md "CDI names").
	cdiName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?/[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?=[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$`)
	usbID   = regexp.MustCompile(`^([0-9a-fA-F]{4}):([0-9a-fA-F]{4})$`)
	// usbPort is how the kernel names where a device is plugged in: bus, then the
	// port of each hub (Documentation/ABI/testing/sysfs-bus-usb).
	usbPort = regexp.MustCompile(`^([1-9][0-9]{0,2})-([1-9][0-9]{0,2}(?:\.[1-9][0-9]{0,2})*)$`)
)

// argument is QEMU's for a USB device (QEMU system documentation, devices/usb).
func (v Device) argument() string {
	if m := usbID.FindStringSubmatch(v.USB); m != nil {
		return fmt.Sprintf("-device usb-host,vendorid=0x%s,productid=0x%s", strings.ToLower(m[1]), strings.ToLower(m[2]))
	}
	if m := usbPort.FindStringSubmatch(v.USB); m != nil {
		return fmt.Sprintf("-device usb-host,hostbus=%s,hostport=%s", m[1], m[2])
	}
	return ""
}

// usbArguments are QEMU's arguments for all USB devices.
func (r *Recipe) usbArguments() string {
	var out []string
	for _, v := range r.Devices {
		if v.USB != "" {
			out = append(out, v.argument())
		}
	}
	return strings.Join(out, " ")
}

func underDev(file string) bool { return strings.HasPrefix(path.Clean(file), "/dev/") }

func (d *reader) checkDevices(r *Recipe) {
	seen := map[string]int{}
	for i, v := range r.Devices {
		at := fmt.Sprintf("devices[%d]", i)
		d.checkDevice(at, v)
		same := v.CDI + strings.ToLower(v.USB)
		if v.Path != "" {
			same = path.Clean(cmp.Or(v.Target, v.Path))
		}
		if first, ok := seen[same]; ok {
			d.report(at, "the same as devices[%d]", first)
			continue
		}
		seen[same] = i
	}
}

func (d *reader) checkDevice(at string, v Device) {
	kinds := 0
	for _, given := range []string{v.Path, v.CDI, v.USB} {
		if given != "" {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		d.report(at, "must have one of path, cdi and usb")
	case v.Path == "" && (v.Target != "" || v.Permissions != ""):
		d.report(at, "target and permissions go with path only")
	case v.Path != "" && !underDev(v.Path):
		d.report(at+".path", "must be a path below /dev, not %q; write other files as [[mounts]]", v.Path)
	case v.Target != "" && !path.IsAbs(v.Target):
		d.report(at+".target", "must be an absolute path in the container, not %q", v.Target)
	case strings.Trim(v.Permissions, "rwm") != "":
		d.report(at+".permissions", `must be of the letters "rwm", not %q`, v.Permissions)
	case v.CDI != "" && !cdiName.MatchString(v.CDI):
		d.report(at+".cdi", `not a CDI name: %q; write one such as "nvidia.com/gpu=0"`, v.CDI)
	case v.USB != "" && v.argument() == "":
		d.report(at+".usb", `must be vendor:product such as "046d:c52b", or bus-port such as "1-2.3", not %q; lsusb lists them`, v.USB)
	}
}
