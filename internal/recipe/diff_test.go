package recipe

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const diffBase = `guest = "windows"
[resources]
disk = "64G"
[env]
VERSION = "11"
USERNAME = "anna"
[secrets]
PASSWORD = { env = "P" }
[storage]
path = "/srv/a"
[viewer]
resolution = "800x600"
[[ports]]
name = "rdp"
guest = 3389
[[mounts]]
source = "/a"
target = "/shared"
[[disks]]
name = "games"
size = "10G"
`

func TestDiff(t *testing.T) {
	for change, want := range map[string]Change{
		"summary=x":                         {"summary", "", "'x'", EffectNone},
		"memory=8G":                         {"resources.memory", "'4G'", "'8G'", EffectRestart},
		"disk=65G":                          {"resources.disk", "'64G'", "'65G'", EffectRestart},
		"disk=63G":                          {"resources.disk", "'64G'", "'63G'", EffectRefused},
		"disk=half":                         {"resources.disk", "'64G'", "'half'", EffectRestart},
		"env=VERSION=10":                    {"env.VERSION", "'11'", "'10'", EffectRefused},
		"env=LANGUAGE=fr":                   {"env.LANGUAGE", "'en'", "'fr'", EffectRefused},
		"env=USERNAME=bob":                  {"env.USERNAME", "'anna'", "'bob'", EffectInstall},
		"secrets.PASSWORD.env=Q":            {"secrets.PASSWORD.env", "'P'", "'Q'", EffectInstall},
		"secrets.OTHER.env=Q":               {"secrets.OTHER.env", "", "'Q'", EffectRestart},
		"viewer.resolution=1024x768":        {"viewer.resolution", "'800x600'", "'1024x768'", EffectInstall},
		"network=user":                      {"network", "'nat'", "'user'", EffectRestart},
		"storage.path=/srv/b":               {"storage.path", "'/srv/a'", "'/srv/b'", EffectDisk},
		"name=other":                        {"name", "", "'other'", EffectDisk},
		"ports.rdp.host=3390":               {"ports.rdp.host", "'any'", "3390", EffectRestart},
		"mounts./shared.read_only=true":     {"mounts./shared.read_only", "", "true", EffectRestart},
		"disks.games.size=9G":               {"disks.games.size", "'10G'", "'9G'", EffectRefused},
		"disks.games.size=11G":              {"disks.games.size", "'10G'", "'11G'", EffectRestart},
		"disks.games.number=4":              {"disks.games.number", "2", "4", EffectRefused},
		"disks.games.path=/srv/g":           {"disks.games.path", "", "'/srv/g'", EffectDisk},
		"lifecycle.autostart=true":          {"lifecycle.autostart", "", "true", EffectNone},
		"image=docker.io/dockurr/windows:9": {"image", "'docker.io/dockurr/windows:6.05'", "'docker.io/dockurr/windows:9'", EffectRestart},
	} {
		old, err := Parse([]byte(diffBase), "/r.toml")
		if err != nil {
			t.Fatal(err)
		}
		now := old.clone()
		if err := now.Apply([]string{change}); err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		got, err := Diff(old, now)
		if diff := cmp.Diff([]Change{want}, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", change, err, diff)
		}
		back, err := Diff(now, old)
		if err != nil || len(back) != 1 || back[0].Old != want.New || back[0].New != want.Old {
			t.Errorf("%s, the way back: %v, %v", change, back, err)
		}
		if same, err := Diff(old, old); err != nil || len(same) != 0 {
			t.Errorf("with itself: %v, %v", same, err)
		}
	}
}

func TestDiffOfMedia(t *testing.T) {
	parse := func(source string) *Recipe {
		r, err := Parse([]byte("guest = 'windows'\n[[mounts]]\nsource = '"+source+"'\ntarget = '/custom.iso'\n"), "/r.toml")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	got, err := Diff(parse("/a.iso"), parse("/b.iso"))
	if want := []Change{{"mounts./custom.iso.source", "'/a.iso'", "'/b.iso'", EffectRefused}}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDiffOfAWholeDisk(t *testing.T) {
	old, err := Parse([]byte(diffBase), "/r.toml")
	if err != nil {
		t.Fatal(err)
	}
	now := old.clone()
	if err := now.Apply([]string{"disks.more.size=1G", "disks.more.path=/srv/more"}); err != nil {
		t.Fatal(err)
	}
	want := []Change{{"disks.more.number", "", "3", EffectRestart}, {"disks.more.size", "", "'1G'", EffectRestart}, {"disks.more.path", "", "'/srv/more'", EffectRestart}}
	if got, err := Diff(old, now); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Diff(now, old); err != nil || len(got) != 3 || got[0].Effect != EffectRestart {
		t.Errorf("the way back: %v, %v", got, err)
	}
}
