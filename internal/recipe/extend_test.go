package recipe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"vmctl/recipes"
)

// writeFiles fills a new folder.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExtendBundled(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"office.toml": `extends = "windows-11"
summary = "Office"
resources.memory = "16G"
[env]
LANGUAGE = "de"
[[ports]]
name = "rdp"
host = 33890
[[ports]]
guest = 22
[[mounts]]
source = "oem"
target = "/oem"
`, "oem/install.bat": "rem"})
	c := NewCatalog(recipes.FS, dir)
	base, err := c.Get("windows-11")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Get("office")
	if err != nil {
		t.Fatal(err)
	}
	want := base.clone()
	want.Source, want.Summary = filepath.Join(dir, "office.toml"), "Office"
	want.Resources.Memory = Size{Bytes: 16 * GiB}
	want.Env["LANGUAGE"] = "de"
	want.Ports[2].Host = HostPort{33890, HostPortExact}
	want.Ports = append(want.Ports, Port{"tcp22", 22, HostPort{}, TCP, Loopback, "auto"})
	want.Mounts = []Mount{{Source: filepath.Join(dir, "oem"), Target: "/oem"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkRoundTrip(t, got)
}

// Paths begin at the file that says them; a base's name is its own; what is said
// later replaces, item by item.
func TestExtendChain(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a/base.toml": `name = "base"
guest = "demo"
[[ports]]
guest = 80
[[mounts]]
source = "data"
target = "/shared/"
[[mounts]]
source = "data"
target = "/extra"
`,
		"middle.toml": "extends = 'a/base.toml'\nresources = { cpus = 2 }\n[[ports]]\nname = 'tcp80'\nhost = 8080\n",
		"top.toml":    "extends = './middle.toml'\nresources = { memory = '512M' }\n[[mounts]]\ntarget = '/shared'\nread_only = true\n",
		"a/data/x":    "",
	})
	got, err := Load(filepath.Join(dir, "top.toml"))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "a", "data")
	if diff := cmp.Diff([]Mount{{data, "/shared", true}, {data, "/extra", false}}, got.Mounts); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Port{{"tcp80", 80, HostPort{8080, HostPortExact}, TCP, Loopback, "auto"}}, got.Ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	if got.Name != "" || got.MachineName() != "top" || got.Resources.CPUs.Count != 2 || got.Resources.Memory.String() != "512M" {
		t.Errorf("got %+v", got)
	}
}

// One's own recipe of a bundled name may begin from the bundled one.
func TestExtendOwnName(t *testing.T) {
	dir := writeFiles(t, map[string]string{"demo.toml": "extends = 'demo'\nsummary = 'mine'\n"})
	r, err := NewCatalog(recipes.FS, dir).Get("demo")
	if err != nil || r.Summary != "mine" || len(r.Ports) != 5 {
		t.Errorf("Get = %+v, %v", r, err)
	}
}

func TestExtendErrors(t *testing.T) {
	files := map[string]string{
		"a.toml":       "extends = 'b.toml'\n",
		"b.toml":       "extends = 'a.toml'\n",
		"self.toml":    "extends = 'self'\n",
		"type.toml":    "guest = 'demo'\nextends = ['a', 'b']\n",
		"unknown.toml": "extends = 'dmeo'\n",
		"gone.toml":    "extends = 'bundled:gone'\n",
		"nofile.toml":  "extends = './absent.toml'\n",
		"var.toml":     "extends = '$NOPE/x.toml'\n",
		"syntax.toml":  "guest = \n",
		"bad.toml":     "extends = 'syntax.toml'\n",
		"odd.toml":     "guest = 'demo'\ncolor = 1\n[[ports]]\nguest = 0\n",
		"over.toml":    "extends = 'odd.toml'\nresources.cpus = 0\n",
		"d0.toml":      "guest = 'demo'\n",
	}
	for i := 1; i <= 9; i++ {
		files["d"+string(rune('0'+i))+".toml"] = "extends = 'd" + string(rune('0'+i-1)) + ".toml'\n"
	}
	dir := writeFiles(t, files)
	bundled := fstest.MapFS{
		"demo.toml":  {Data: []byte("guest='demo'\n")},
		"inner.toml": {Data: []byte("extends='./demo.toml'\n")},
		"ring.toml":  {Data: []byte("extends='bundled:ring'\n")},
	}
	c := NewCatalog(bundled, dir)
	for name, want := range map[string]string{
		"a":       "DIR/b.toml:1:1: extends: goes round in a circle: DIR/a.toml -> DIR/b.toml -> DIR/a.toml",
		"self":    "DIR/self.toml:1:1: extends: goes round in a circle: DIR/self.toml -> DIR/self.toml",
		"type":    "DIR/type.toml:2:1: extends: must be a recipe's name or file, not an array",
		"unknown": `DIR/unknown.toml:1:1: extends: unknown recipe: "dmeo"; did you mean "demo"?`,
		"gone":    `DIR/gone.toml:1:1: extends: unknown recipe: "bundled:gone"`,
		"nofile":  "DIR/nofile.toml:1:1: extends: open DIR/absent.toml: no such file or directory",
		"var":     "DIR/var.toml:1:1: extends: unknown variable $NOPE; known are $HOME and the $XDG directories",
		"bad":     "DIR/syntax.toml:1:9: unexpected character U+000A at start of value",
		"inner":   `bundled:inner:1:1: extends: must be a recipe's name or an absolute path, not "./demo.toml"`,
		"ring":    "bundled:ring:1:1: extends: goes round in a circle: bundled:ring -> bundled:ring",
		"over": `DIR/odd.toml:2:1: color: unknown key; known keys are schema, extends, unset, name, summary, image, guest, security, network, runtime_handler, resources, env, secrets, viewer, ports, storage, disks, mounts, devices, lifecycle
DIR/odd.toml:4:1: ports[0].guest: port must be from 1 to 65535, not 0
DIR/over.toml:2:11: resources.cpus: must be from 1 to 4096, not 0`,
		"d9": "DIR/d2.toml:1:1: extends: more than 8 recipes deep: " +
			"DIR/d9.toml -> DIR/d8.toml -> DIR/d7.toml -> DIR/d6.toml -> DIR/d5.toml -> DIR/d4.toml -> DIR/d3.toml -> DIR/d2.toml -> DIR/d1.toml",
	} {
		_, err := c.Get(name)
		if want = strings.ReplaceAll(want, "DIR", dir); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
	if _, err := c.Get("d7"); err != nil {
		t.Errorf("eight recipes deep: %v", err)
	}
}

func TestExtendNeedsFiles(t *testing.T) {
	_, err := Parse([]byte("extends = 'demo'\nguest = 'demo'\n"), "x.toml")
	if want := "x.toml:1:1: extends: cannot be followed here: this text stands alone"; err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}
