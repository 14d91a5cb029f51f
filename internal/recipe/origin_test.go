package recipe

import (
	"path/filepath"
	"strings"
	"testing"

	"vmctl/recipes"
)

func TestExplain(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"work.toml": "extends = \"windows-11\"\nunset = [\"ports.vnc\"]\n[env]\nRAM = 1\nAUDIO = true\n" +
			"[[ports]]\nname = \"rdp\"\nhost = 33890\n[secrets]\nPASSWORD = { env = \"P\" }\n",
	})
	c := NewCatalog(recipes.FS, dir)
	e, err := c.Explain(filepath.Join(dir, "work.toml"), []Override{
		{"cpus=6", "variable VMCTL_CPUS"}, {"ports.viewer.host=9000", "command line"}, {"port=2222:22", "command line"},
		{"env=USERNAME=anna", "command line"}, {"mounts./shared.source=/", "command line"},
	})
	if err != nil {
		t.Fatal(err)
	}
	values, err := e.Values()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Value{}
	for _, v := range values {
		got[v.Key] = v
	}
	for key, want := range map[string][2]string{
		"resources.cpus":       {"6", "variable VMCTL_CPUS"},
		"resources.memory":     {"'8G'", "bundled:windows-11:9"},
		"viewer.audio":         {"true", "work.toml:5"},
		"env.USERNAME":         {"'anna'", "command line"},
		"env.RAM":              {"'1'", "work.toml:4"},
		"secrets.PASSWORD.env": {"'P'", "work.toml:10"},
		"ports[0].host":        {"9000", "command line"},
		"ports[0].guest":       {"8006", "bundled:windows-11:23"},
		"ports[1].name":        {"'rdp'", "work.toml:7"},
		"ports[1].guest":       {"3389", "bundled:windows-11:33"},
		"ports[1].protocol":    {"'tcp'", "default"},
		"ports[3].host":        {"2222", "command line"},
		"mounts[0].source":     {"'/'", "command line"},
		"mounts[0].target":     {"'/shared'", "command line"},
		"ports[0].name":        {"'viewer'", "bundled:windows-11:22"},
		"lifecycle.restart":    {"'no'", "default"},
	} {
		if v := got[key]; v.Value != want[0] || strings.TrimPrefix(v.Origin, dir+"/") != want[1] {
			t.Errorf("%s = %s from %s, want %s from %s", key, v.Value, v.Origin, want[0], want[1])
		}
	}
	text, err := e.Annotated()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(text, ""); err != nil || again.Hash() != e.Hash() {
		t.Errorf("what is printed is not the recipe: %v\n%s", err, text)
	}
}

func TestExplainErrors(t *testing.T) {
	dir := writeFiles(t, map[string]string{"bad.toml": "guest = 1\n", "good.toml": "guest = \"demo\"\n", "path.toml": "guest = \"demo\"\nstorage.path = \"/nowhere\"\n"})
	c := NewCatalog(recipes.FS, dir)
	for _, tt := range []struct{ source, override, want string }{
		{dir + "/none.toml", "", "no such file"},
		{"bundled:none", "", "unknown recipe"},
		{dir + "/bad.toml", "", "guest: must be"},
		{dir + "/path.toml", "", "storage.path: /nowhere does not exist"},
		{dir + "/good.toml", "memory=8", `variable X: resources.memory: no unit; write "8G"`},
		{dir + "/good.toml", "memory", "variable X: memory: no value"},
	} {
		var list []Override
		if tt.override != "" {
			list = []Override{{tt.override, "variable X"}}
		}
		if _, err := c.Explain(tt.source, list); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: %v, want %s", tt.source, tt.override, err, tt.want)
		}
	}
}
