package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// USBDevice is a USB device that is plugged in.
type USBDevice struct {
	Port    string // where: bus, then the port of each hub, "1-2.3"
	Vendor  string // four hexadecimal digits, lower case
	Product string // the same
	Name    string // what it calls itself; may be empty
	Node    string // its device node, "/dev/bus/usb/001/004"
}

// USB lists what is plugged in, from sysfs (Documentation/ABI/testing/sysfs-bus-usb in
// the kernel's source). A host without USB has none.
func (h Host) USB() ([]USBDevice, error) {
	dir := h.path("/sys/bus/usb/devices")
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("USB devices: %w", err)
	}
	var out []USBDevice
	for _, e := range entries {
		if strings.ContainsRune(e.Name(), ':') || !strings.ContainsRune(e.Name(), '-') {
			continue // an interface of a device, or a root hub
		}
		read := func(name string) string {
			data, _ := os.ReadFile(filepath.Join(dir, e.Name(), name))
			return strings.TrimSpace(string(data))
		}
		bus, busErr := strconv.Atoi(read("busnum"))
		number, numberErr := strconv.Atoi(read("devnum"))
		if busErr != nil || numberErr != nil { // unplugged this moment
			continue
		}
		out = append(out, USBDevice{Port: e.Name(), Vendor: strings.ToLower(read("idVendor")), Product: strings.ToLower(read("idProduct")),
			Name: read("product"), Node: fmt.Sprintf("/dev/bus/usb/%03d/%03d", bus, number)})
	}
	return out, nil
}

// Is tells whether an id means the device: vendor:product, or its port.
func (u USBDevice) Is(id string) bool {
	return strings.EqualFold(id, u.Vendor+":"+u.Product) || id == u.Port
}
