package recipe

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vmctl/recipes"
)

const unsetBase = `guest = "windows"
[env]
VERSION = "11"
PASSWORD = "plain"
COMMAND = "x"
[secrets]
USERNAME = { env = "U" }
KEY = { env = "K" }
[resources]
cpus = 8
[lifecycle]
idle = { after = "30m" }
[[ports]]
name = "vnc"
guest = 5900
[[ports]]
guest = 53
protocol = "udp"
[[mounts]]
source = "/"
target = "/shared/"
[[disks]]
name = "games"
size = "1G"
[[devices]]
path = "/dev/dri/x.1"
[[devices]]
usb = "1-2.3"
`

func TestUnset(t *testing.T) {
	dir := writeFiles(t, map[string]string{"base.toml": unsetBase, "over.toml": `extends = "base.toml"
unset = ["env.COMMAND", "resources.cpus", "ports.vnc", "ports.udp53", "mounts./shared", "disks.games",
  "devices./dev/dri/x.1", "devices.1-2.3", "lifecycle.idle.after", "secrets.KEY"]
lifecycle.ready = "none"
`})
	r, err := Load(filepath.Join(dir, "over.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Env["COMMAND"]; ok || r.Resources.CPUs.Count != 2 || r.Lifecycle.Idle.After != 0 || len(r.Secrets) != 1 ||
		len(r.Ports)+len(r.Mounts)+len(r.Disks)+len(r.Devices) != 0 {
		t.Errorf("left: %+v", r)
	}
}

// What is unset may be said anew, and whole tables may go.
func TestUnsetWhole(t *testing.T) {
	dir := writeFiles(t, map[string]string{"base.toml": unsetBase,
		"over.toml": "extends = 'base.toml'\nunset = ['ports', 'lifecycle', 'disks.games']\ndisks = [{name='games', device='/dev/sdx'}]\n"})
	r, err := Load(filepath.Join(dir, "over.toml"))
	if err != nil || len(r.Ports) != 0 || r.Lifecycle.Idle.After != 0 || r.Disks[0].Device != "/dev/sdx" {
		t.Errorf("Load = %+v, %v", r, err)
	}
}

func TestUnsetErrors(t *testing.T) {
	for unset, want := range map[string]string{
		`["env.GONE"]`:           `unset[0]: "env.GONE" is not in the recipe that is extended`,
		`["ports.vnc", "a"]`:     `2:23: unset[1]: "a" is not`,
		`["mounts./none"]`:       `"/none"`,
		`["env.COMMAND.deep"]`:   `"env.COMMAND.deep" is not`,
		`["unset"]`:              `"unset" is not`,
		`"env.COMMAND"`:          "unset: must be an array of strings, not a string",
		`["env.COMMAND", 1]`:     "unset[1]: must be a string, not an integer",
		`["ports.vnc", "guest"]`: "guest",
	} {
		want = strings.ReplaceAll(want, `"/none"`, `"mounts./none" is not`)
		dir := writeFiles(t, map[string]string{"base.toml": unsetBase, "over.toml": "extends = 'base.toml'\nunset = " + unset + "\n"})
		_, err := Load(filepath.Join(dir, "over.toml"))
		if unset == `["ports.vnc", "guest"]` { // the image is not said either, so the guest is not known any more
			want = "guest: missing"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", unset, err, want)
		}
	}
}

// A variable is plain or secret, as the recipe says that comes last; and a secret is
// at one place.
func TestSecretOverPlain(t *testing.T) {
	dir := writeFiles(t, map[string]string{"base.toml": unsetBase, "over.toml": `extends = "base.toml"
lifecycle.ready = "none"
[env]
USERNAME = "anna"
[secrets]
PASSWORD = { env = "P" }
KEY = { keyring = "a/b" }
`})
	r, err := Load(filepath.Join(dir, "over.toml"))
	if err != nil {
		t.Fatal(err)
	}
	_, plain := r.Env["PASSWORD"]
	_, secret := r.Secrets["USERNAME"]
	if plain || secret || r.Env["USERNAME"] != "anna" || r.Secrets["PASSWORD"].Env != "P" || r.Secrets["KEY"].Keyring != "a/b" || r.Secrets["KEY"].Env != "" {
		t.Errorf("env %v, secrets %v", r.Env, r.Secrets)
	}
}

func TestSecretOverBundled(t *testing.T) {
	dir := writeFiles(t, map[string]string{"mine.toml": "extends = 'windows-11'\nsecrets.PASSWORD.env = 'P'\n"})
	r, err := NewCatalog(recipes.FS, dir).Get("mine")
	if err != nil || r.Secrets["PASSWORD"].Env != "P" {
		t.Errorf("Get = %+v, %v", r, err)
	}
}

func TestApplyNewKeys(t *testing.T) {
	r, err := Parse([]byte("guest='windows'\nenv={VERSION='11',PASSWORD='p',NETWORK='slirp'}\nviewer.resolution='800x600'\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	err = r.Apply([]string{"secrets.PASSWORD.keyring=a/b", "network=user", "viewer.protect=true", "disks.games.size=200G",
		"disks.games.number=5", "mounts./oem.source=/", "mounts./oem.read_only=true", "lifecycle.idle.after=1h",
		"env=WIDTH=1024", "env=USERNAME=x", "secrets.KEY.command=pass show x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, plain := r.Env["PASSWORD"]; plain || r.Secrets["PASSWORD"].Keyring != "a/b" || !slices.Equal(r.Secrets["KEY"].Command, []string{"pass show x"}) {
		t.Errorf("env %v, secrets %v", r.Env, r.Secrets)
	}
	if r.Disks[0] != (Disk{Name: "games", Number: 5, Size: Size{Bytes: 200 * GiB}}) || r.Mounts[0] != (Mount{"/", "/oem", true}) {
		t.Errorf("disks %v, mounts %v", r.Disks, r.Mounts)
	}
	if r.Network != NetworkUser || !r.Viewer.Protect || r.Viewer.Resolution != "1024x600" || r.Lifecycle.Idle.Action != IdleStop {
		t.Errorf("network %q, viewer %+v, idle %+v", r.Network, r.Viewer, r.Lifecycle.Idle)
	}
	if err := r.Apply([]string{"env=PASSWORD=plain", "env=DHCP=Y", "env=AUDIO=Y", "env=DISPLAY=vnc"}); err != nil {
		t.Fatal(err)
	}
	if _, secret := r.Secrets["PASSWORD"]; secret || r.Env["PASSWORD"] != "plain" || r.Network != NetworkLAN || !r.Viewer.Audio || r.Viewer.Display != DisplayVNC {
		t.Errorf("%+v", r)
	}
	checkRoundTrip(t, r)
}
