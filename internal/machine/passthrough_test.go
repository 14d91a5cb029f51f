package machine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/host"
	"vmctl/internal/recipe"
)

const extras = `[[disks]]
name = "games"
size = "1G"
[[disks]]
name = "raw"
device = "/dev/sdx"
[[devices]]
path = "/dev/dri/renderD128"
[[devices]]
path = "/dev/ttyUSB0"
target = "/dev/ttyS9"
permissions = "rw"
[[devices]]
cdi = "nvidia.com/gpu=0"
[[devices]]
usb = "046d:c52b"
`

func TestPassThrough(t *testing.T) {
	disk := func(k recipe.Disk) string { return "/m/demo/disks/" + k.Name }
	for security, want := range map[string]passthrough{
		"privileged": {mounts: []cri.Mount{{HostPath: "/m/demo/disks/games", ContainerPath: "/storage2"}, {HostPath: usbBus, ContainerPath: usbBus}}},
		"minimal":    {mounts: []cri.Mount{{HostPath: "/m/demo/disks/games", ContainerPath: "/storage2"}}},
	} {
		want.cdi = []string{"nvidia.com/gpu=0"}
		want.devices = []cri.Device{
			{HostPath: "/dev/sdx", ContainerPath: "/dev/sdx", Permissions: "rwm"},
			{HostPath: "/dev/dri/renderD128", ContainerPath: "/dev/dri/renderD128", Permissions: "rwm"},
			{HostPath: "/dev/ttyUSB0", ContainerPath: "/dev/ttyS9", Permissions: "rw"},
		}
		if security == "minimal" {
			want.devices = append(want.devices, cri.Device{HostPath: "/dev/bus/usb/001/004", ContainerPath: "/dev/bus/usb/001/004", Permissions: "rwm"})
		}
		r := parse(t, `security = "`+security+"\"\n"+demoRecipe+extras)
		got := passThrough(r, disk, []string{"/dev/bus/usb/001/004"})
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(passthrough{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", security, diff)
		}
	}
}

// usbHost is a computer with one device plugged in.
func usbHost(t *testing.T) host.Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"dev/bus/usb/001/004": "", "sys/bus/usb/devices/1-2/busnum": "1", "sys/bus/usb/devices/1-2/devnum": "4",
		"sys/bus/usb/devices/1-2/idVendor": "046d", "sys/bus/usb/devices/1-2/idProduct": "c52b",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return host.Host{Root: root}
}

func TestFindUSB(t *testing.T) {
	for name, tt := range map[string]struct {
		host             host.Host
		security, usb    string
		nodes, note, err string
	}{
		"by id":                  {usbHost(t), "minimal", "046D:C52B", "/dev/bus/usb/001/004", "", ""},
		"by port":                {usbHost(t), "privileged", "1-2", "/dev/bus/usb/001/004", "", ""},
		"to come":                {usbHost(t), "privileged", "1-3", "", "not plugged in; the guest gets it when it is", ""},
		"not there":              {usbHost(t), "minimal", "1-3", "", "", "USB device 1-3 is not plugged in"},
		"a computer without USB": {host.Host{Root: t.TempDir()}, "privileged", "1-3", "", "", "it has no USB"},
	} {
		m := &Manager{Host: tt.host}
		r := parse(t, `security = "`+tt.security+"\"\n"+demoRecipe+"[[devices]]\nusb = \""+tt.usb+"\"\n")
		var note string
		nodes, err := m.findUSB(r, func(p Progress) { note = p.Text })
		if strings.Join(nodes, " ") != tt.nodes || !strings.Contains(note, tt.note) || tt.note == "" && note != "" {
			t.Errorf("%s: nodes %v, note %q", name, nodes, note)
		}
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || hint.Of(err) == "") {
			t.Errorf("%s: error %v, want %q", name, err, tt.err)
		}
	}
}

func TestStartWithDisksAndDevices(t *testing.T) {
	r := newRig(t)
	elsewhere := t.TempDir()
	rec := parse(t, rigRecipe+"[[disks]]\nname = \"own\"\nsize = \"1G\"\n[[disks]]\nname = \"big\"\nsize = \"1G\"\npath = \""+elsewhere+"\"\n"+
		"[[devices]]\npath = \"/dev/null\"\ntarget = \"/dev/nothing\"\n")
	mc, err := r.Up(t.Context(), "demo", rec, StartOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(mc.Directory, "disks", "own")
	if info, err := os.Stat(own); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the disk's folder: %v, %v; want it made by us", info, err)
	}
	c := r.rt.Containers()[0].Config
	for _, want := range []cri.Mount{{HostPath: own, ContainerPath: "/storage2"}, {HostPath: elsewhere, ContainerPath: "/storage3"}} {
		if !slices.Contains(c.Mounts, want) {
			t.Errorf("mounts %v, want %v among them", c.Mounts, want)
		}
	}
	if want := (cri.Device{HostPath: "/dev/null", ContainerPath: "/dev/nothing", Permissions: "rwm"}); !slices.Contains(c.Devices, want) {
		t.Errorf("devices %v, want %v among them", c.Devices, want)
	}
	write(t, filepath.Join(own, "data2.img"))
	write(t, filepath.Join(own, "notes.txt"))
	if err := r.Delete(t.Context(), "demo", DeleteOptions{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(own, "data2.img")); err != nil {
		t.Errorf("delete without storage: %v", err)
	}
	r.up(t, "demo")
	if err := r.Delete(t.Context(), "demo", DeleteOptions{Force: true, Storage: true}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(own, "data2.img")); !os.IsNotExist(err) {
		t.Errorf("delete with storage left the disk: %v", err)
	}
	if _, err := os.Stat(filepath.Join(own, "notes.txt")); err != nil {
		t.Errorf("delete took the user's file: %v", err)
	}
}

func write(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMissingDevice(t *testing.T) {
	r := newRig(t)
	for text, want := range map[string]string{
		"[[devices]]\npath = \"/dev/no-such\"\n":               "device /dev/no-such: no such file",
		"[[disks]]\nname = \"a\"\ndevice = \"/dev/no-such\"\n": `disk "a": this host cannot run the machine: /dev/no-such does not exist`,
		"[[disks]]\nname = \"a\"\ndevice = \"/dev/null\"\n":    "/dev/null is not a block device",
		"[[devices]]\nusb = \"dead:beef\"\n":                   "it has no USB",
	} {
		r.Host = host.Host{}
		if strings.Contains(text, "usb") {
			r.Host = host.Host{Root: t.TempDir()}
		}
		_, err := r.Up(t.Context(), "demo", parse(t, rigRecipe+text), StartOptions{}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
		if list, err := r.Store.List(); err != nil || len(list) != 0 {
			t.Errorf("left behind: %v, %v", list, err)
		}
	}
	r.empty(t)
}

// Two machines never have one disk, whichever of their disks it is.
func TestOneDirectoryForTwoDisks(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	further := "[[disks]]\nname = \"data\"\nsize = \"1G\"\npath = \"" + dir + "\"\n"
	if _, err := r.Up(t.Context(), "one", parse(t, rigRecipe+further), StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"two": further, "three": "[storage]\npath = \"" + dir + "\"\n"} {
		if _, err := r.Up(t.Context(), name, parse(t, rigRecipe+text), StartOptions{}, nil); !errors.Is(err, ErrPhase) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
