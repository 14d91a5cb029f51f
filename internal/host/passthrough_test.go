package host

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUSB(t *testing.T) {
	h := fake(t, map[string]string{
		"sys/bus/usb/devices/usb1/busnum":     "1\n",
		"sys/bus/usb/devices/1-2.3:1.0/x":     "",
		"sys/bus/usb/devices/1-9/idVendor":    "dead\n", // half gone
		"sys/bus/usb/devices/1-2.3/busnum":    "1\n",
		"sys/bus/usb/devices/1-2.3/devnum":    "14\n",
		"sys/bus/usb/devices/1-2.3/idVendor":  "046D\n",
		"sys/bus/usb/devices/1-2.3/idProduct": "c52b\n",
		"sys/bus/usb/devices/1-2.3/product":   "USB Receiver\n",
	})
	got, err := h.USB()
	want := []USBDevice{{"1-2.3", "046d", "c52b", "USB Receiver", "/dev/bus/usb/001/014"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%v\n%s", err, diff)
	}
	for id, want := range map[string]bool{"046d:C52B": true, "1-2.3": true, "1-2": false, "046d:c52c": false} {
		if got[0].Is(id) != want {
			t.Errorf("Is(%q) = %v", id, !want)
		}
	}
	if none, err := (Host{Root: t.TempDir()}).USB(); err != nil || none != nil {
		t.Errorf("without USB: %v, %v", none, err)
	}
}

func TestBlockUse(t *testing.T) {
	base := map[string]string{
		"sys/dev/block/8:16":             "->../../block/sdb",
		"sys/block/sdb/sdb1/partition":   "1\n",
		"sys/block/sdb/sdb1/dev":         "8:17\n",
		"sys/block/sdb/holders/":         "",
		"sys/block/sdb/sdb1/holders/":    "",
		"sys/block/sdb/queue/rotational": "0",
		"proc/self/mountinfo":            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
		"proc/swaps":                     "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n",
	}
	for name, tt := range map[string]struct{ file, data, want string }{
		"free":              {"x", "", ""},
		"mounted":           {"proc/self/mountinfo", "22 1 8:16 / /mnt rw - ext4 /dev/sdb rw\n", "mounted at /mnt"},
		"partition mounted": {"proc/self/mountinfo", "22 1 8:1 / / rw\n23 1 8:17 / /home rw - ext4 /dev/sdb1 rw\n", "mounted at /home"},
		"partition swap":    {"proc/swaps", "Filename\n/dev/sdb1 partition 1 0 -2\n", "swap"},
		"in a volume group": {"sys/block/sdb/sdb1/holders/dm-0", "", "part of dm-0"},
	} {
		files := map[string]string{}
		for f, data := range base {
			files[f] = data
		}
		files[tt.file] = tt.data
		if got, err := fake(t, files).blockUse("8:16"); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tt.want)
		}
	}
}

func TestBlockInUseRefusesOtherFiles(t *testing.T) {
	for path, want := range map[string]string{os.DevNull: "is not a block device", "/dev/nowhere": "no such file"} {
		if _, err := (Host{}).BlockInUse(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}
