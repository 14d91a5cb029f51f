package recipe

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const edited = `#:schema ./schema.json
# The office machine.
summary = "Windows"   # for lists
guest = 'windows'

[resources]
  cpus   = "half" # all too few
  memory = "8G"

[env]
VERSION = "11" # cannot change
GPU = true
TIMEOUT = 30
# LANGUAGE = "de"

[[ports]]
name = "viewer" # the web page
guest = 8006
host = "8006+"

[[ports]]
guest = 3389

[[mounts]]
source = 'oem'
target = "/oem/"
`

// TestSetWritesTheRightLine shows each change as the line that it makes, and the line
// that it replaces, if any.
func TestSetWritesTheRightLine(t *testing.T) {
	for _, tt := range []struct{ change, old, now string }{
		{"summary=Windows \"11\"", `summary = "Windows"   # for lists`, `summary = 'Windows "11"'   # for lists`},
		{"summary=11", `summary = "Windows"   # for lists`, `summary = "11"   # for lists`},
		{"summary=true", `summary = "Windows"   # for lists`, `summary = "true"   # for lists`},
		{"guest=linux", `guest = 'windows'`, `guest = 'linux'`},
		{"resources.cpus=4", `  cpus   = "half" # all too few`, `  cpus   = 4 # all too few`},
		{"cpus=max", `  cpus   = "half" # all too few`, `  cpus   = "max" # all too few`},
		{"memory=16G", `  memory = "8G"`, `  memory = "16G"`},
		{"disk=100G", "", `  disk = "100G"`},
		{"env.VERSION=10", `VERSION = "11" # cannot change`, `VERSION = "10" # cannot change`},
		{"env.GPU=false", `GPU = true`, `GPU = false`},
		{"env.GPU=2", `GPU = true`, `GPU = "2"`},
		{"env.TIMEOUT=45", `TIMEOUT = 30`, `TIMEOUT = 45`},
		{"env.KEYBOARD=de-CH", "", `KEYBOARD = "de-CH"`},
		{"env.N=1", "", `N = "1"`},
		{`env.COMMAND=[C:\x "y"]`, "", `COMMAND = '[C:\x "y"]'`},
		{"env.COMMAND=it's \"x\"\n", "", `COMMAND = "it's \"x\"\n"`},
		{"env.EMPTY=", "", `EMPTY = ""`},
		{"ports.viewer.host=9000", `host = "8006+"`, `host = 9000`},
		{"ports.viewer.host=any", `host = "8006+"`, `host = "any"`},
		{"ports.viewer.address=::1", "", `address = "::1"`},
		{"ports.tcp3389.name=rdp", "", `name = "rdp"`},
		{"mounts./oem.source=$HOME/oem", `source = 'oem'`, `source = '$HOME/oem'`},
		{"mounts./oem.read_only=true", "", `read_only = true`},
		{"security=minimal", "", `security = "minimal"`},
	} {
		t.Run(tt.change, func(t *testing.T) {
			d, err := NewDocument([]byte(edited), "vm.toml")
			if err != nil {
				t.Fatal(err)
			}
			if err := change(d, tt.change); err != nil {
				t.Fatal(err)
			}
			before, after := strings.Split(edited, "\n"), strings.Split(string(d.Bytes()), "\n")
			if tt.old != "" {
				before = drop(t, before, tt.old)
			}
			if diff := cmp.Diff(before, drop(t, after, tt.now)); diff != "" {
				t.Errorf("other lines (-before +after):\n%s", diff)
			}
		})
	}
}

// change does "KEY=VALUE", or takes out "-KEY".
func change(d *Document, text string) error {
	if key, ok := strings.CutPrefix(text, "-"); ok {
		return d.Unset(key)
	}
	key, value, _ := strings.Cut(text, "=")
	return d.Set(key, value)
}

// drop takes a line out, which must be there.
func drop(t *testing.T, lines []string, line string) []string {
	t.Helper()
	for i := range lines {
		if lines[i] == line {
			return append(lines[:i:i], lines[i+1:]...)
		}
	}
	t.Errorf("no line %q in:\n%s", line, strings.Join(lines, "\n"))
	return lines
}

func TestDocument(t *testing.T) {
	const small = "extends = \"windows-11\"\n"
	for _, tt := range []struct{ name, before, change, after string }{
		{"a new port", small, "ports.web.guest=80", small + "\n[[ports]]\nname = \"web\"\nguest = 80\n"},
		{"a new mount", small, "mounts./custom.iso.source=~/win.iso", small + "\n[[mounts]]\ntarget = \"/custom.iso\"\nsource = \"~/win.iso\"\n"},
		{"a new disk", small, "disks.games.size=200G", small + "\n[[disks]]\nname = \"games\"\nsize = \"200G\"\n"},
		{"a new port by its name", small, "ports.web.name=web", small + "\n[[ports]]\nname = \"web\"\n"},
		{"idle", "[lifecycle]\nautostart = true\n", "lifecycle.idle.after=30m", "[lifecycle]\nautostart = true\nidle = { after = \"30m\" }\n"},
		{"idle, again", "lifecycle = { idle = { after = '1h' } }", "lifecycle.idle.after=30m", "lifecycle = { idle = { after = '30m' } }"},
		{"a secret", "[env]\nPASSWORD = \"x\" # mine\nVERSION = \"11\"\n", "secrets.PASSWORD.file=~/.secret", "[env]\nVERSION = \"11\"\n\n[secrets]\nPASSWORD = { file = \"~/.secret\" }\n"},
		{"a secret's words", "[secrets]\nP = { env = \"X\" } # x\n", `secrets.P.command=["pass", "show"]`, "[secrets]\nP = { command = [\"pass\", \"show\"] } # x\n"},
		{"no secret", "[secrets]\nP = { env = \"X\" }\nQ = { env = \"Y\" }\n", "env.P=x", "[secrets]\nQ = { env = \"Y\" }\n\n[env]\nP = \"x\"\n"},
		{"the list itself", small, `unset=["ports.vnc"]`, small + "unset = [\"ports.vnc\"]\n"},
		{"- a port", "[[ports]]\nname = \"a\"\nguest = 1\n\n[[ports]]\nname = \"b\"\nguest = 2\n", "-ports.a", "[[ports]]\nname = \"b\"\nguest = 2\n"},
		{"- a port without name", "[[ports]]\nguest = 1\nprotocol = \"udp\"\n", "-ports.udp1", ""},
		{"- a mount", "mounts = [{source = 'a', target = '/a.iso'}, {source = 'b', target = '/b'}]", "-mounts./a.iso/", "mounts = [{source = 'b', target = '/b'}]"},
		{"- a key of a mount", "[[mounts]]\nsource = 'a'\ntarget = '/a.iso'\nread_only = true\n", "-mounts./a.iso.read_only", "[[mounts]]\nsource = 'a'\ntarget = '/a.iso'\n"},
		{"- a slip", "[[ports]]\nname = \"a\"\nhots = 1\n", "-ports.a.hots", "[[ports]]\nname = \"a\"\n"},
		{"- a device", "[[devices]]\npath = \"/dev/sda.1\"\n\n[[devices]]\nusb = \"1-2.3\"\n", "-devices.1-2.3", "[[devices]]\npath = \"/dev/sda.1\"\n"},
		{"- a short form", "[resources]\ncpus = 1\ndisk = \"1G\"\n", "-disk", "[resources]\ncpus = 1\n"},
		{"- what is below", small, "-env.COMMAND", small + "unset = [\"env.COMMAND\"]\n"},
		{"- a mount below", small, "-mounts./custom.iso", small + "unset = [\"mounts./custom.iso\"]\n"},
		{"- a device below", small, "-devices.1-2.3", small + "unset = [\"devices.1-2.3\"]\n"},
		{"- more of that", small + "unset = [\"env.COMMAND\"] # x\n", "-ports.vnc", small + "unset = [\"env.COMMAND\", \"ports.vnc\"] # x\n"},
		{"- here first", small + "\n[env]\nA = \"1\"\n", "-env.A", small},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := NewDocument([]byte(tt.before), "vm.toml")
			if err != nil {
				t.Fatal(err)
			}
			if err := change(d, tt.change); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(d.Bytes())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDocumentRefuses(t *testing.T) {
	for _, tt := range []struct{ name, before, change, want string }{
		{"no key", "", "=1", "not a key"},
		{"half a key", "", "env.=1", "not a key"},
		{"a table", "[env]\n", "env=1", "env: env is a table; set its keys"},
		{"an item", "", "ports.web=1", "ports.web: is a table; write ports.web.KEY"},
		{"a key below a value", "summary='x'", "summary.x=1", "summary is a value and has no x"},
		{"a device that is not there", "", "devices.x.path=/dev/x", "devices.x.path: is not in the recipe"},
		{"no text", "", "summary=\xff", "summary: is not UTF-8 text"},
		{"- what is not there", "[env]\nA=1\n", "-env.B", "env.B: is not in the recipe"},
		{"- twice", "extends='a'\nunset=['env.B']\n", "-env.B", "env.B: is taken out already"},
		{"- a key of an item below", "extends='a'\n", "-ports.rdp.host", "ports.rdp.host: is not in the recipe"},
		{"- nothing", "", "-", "not a key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := NewDocument([]byte(tt.before), "vm.toml")
			if err != nil {
				t.Fatal(err)
			}
			err = change(d, tt.change)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if got := string(d.Bytes()); got != tt.before {
				t.Errorf("changed to %q", got)
			}
		})
	}
}

// A value that is wrong in every form is written; reading it says what is wrong, and where.
func TestDocumentWritesWhatIsWrong(t *testing.T) {
	d, err := NewDocument([]byte("guest = 'demo'\n[resources]\nmemory = '1G' # x\n"), "vm.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Set("memory", "8"); err != nil {
		t.Fatal(err)
	}
	_, err = Parse(d.Bytes(), "vm.toml")
	if want := `vm.toml:3:1: resources.memory: no unit; write "8G" or "8M"`; err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}

func TestNewDocumentThatIsNoTOML(t *testing.T) {
	_, err := NewDocument([]byte("a = 1\nb\n"), "vm.toml")
	var problems Problems
	if !errors.As(err, &problems) || problems[0].Line != 2 {
		t.Errorf("NewDocument = %v, want a problem in line 2", err)
	}
}

// FuzzDocument: what is set is what a recipe has then, and other problems stay the same.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(edited), "env.X", "1")
	f.Add([]byte("guest='demo'\nextends='x'"), "ports.web.host", "80+")
	f.Add([]byte("mounts=[{target='/a'}]\r\n[secrets.P]\r\nenv='X'"), "mounts./a.read_only", "true")
	f.Add([]byte("secrets.P.env='X'\nenv.P=1"), "secrets.P.file", "/x")
	f.Fuzz(func(t *testing.T, data []byte, key, value string) {
		d, err := NewDocument(data, "/fuzz/vm.toml")
		if err != nil {
			return
		}
		if err := d.Set(key, value); err != nil {
			if diff := cmp.Diff(string(data), string(d.Bytes())); diff != "" {
				t.Errorf("refused, but changed:\n%s", diff)
			}
			return
		}
		r, err := Parse(d.Bytes(), "/fuzz/vm.toml")
		if name, ok := strings.CutPrefix(key, "env.X"); ok && err == nil && !strings.Contains(string(data), "X"+name) {
			if got := r.Env["X"+name]; got != value {
				t.Errorf("env %q = %q, want %q:\n%s", name, got, value, d.Bytes())
			}
		}
		if err := d.Unset(key); err != nil {
			t.Errorf("Unset(%q) after Set(%q): %v:\n%s", key, value, err, d.Bytes())
		}
	})
}
