package convert

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"vmctl/internal/recipe"
)

// imported reads files of another tool into a recipe with everything filled in.
func imported(t *testing.T, paths []string, service string) *recipe.Recipe {
	t.Helper()
	w, _, err := Import(paths, service)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := w.Recipe()
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Parse(text, filepath.Join(filepath.Dir(paths[0]), "vm.toml"))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return r
}

// throughFile writes the export and reads it again.
func throughFile(t *testing.T, dir, name string, data []byte) *recipe.Recipe {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return imported(t, []string{file}, "")
}

// asMachine is the export of a recipe that is already read.
func asMachine(t *testing.T, r *recipe.Recipe) Machine {
	t.Helper()
	text, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return toMachine(t, string(text), "vm.toml", "")
}

// notOfTheFile is what a recipe is called and where it came from.
var notOfTheFile = cmpopts.IgnoreFields(recipe.Recipe{}, "Name", "Summary", "Source")

// TestReadmeRoundTrip takes the files in the shape of the images' readmes in, out and in
// again: both times they are the same machine.
func TestReadmeRoundTrip(t *testing.T) {
	t.Setenv("HOME", "/home/anna")
	for _, name := range []string{"compose-windows", "compose-macos", "compose-qemu", "compose-macvlan", "kubernetes-windows", "kubernetes-macos"} {
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata/import", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "project")
			paths, service := unpack(t, archive, dir)
			first := imported(t, paths, service)
			m := asMachine(t, first)
			data, _, err := m.Compose()
			if err != nil {
				t.Fatal(err)
			}
			second := throughFile(t, dir, "again.yml", data)
			if first.Storage.Path == "" {
				second.Storage.Path = "" // a folder beside the file, now
			}
			if first.Security == recipe.SecurityPrivileged && !m.usesPrivilege() {
				second.Security = first.Security // Docker needs none
			}
			if diff := cmp.Diff(exactPorts(first), second, notOfTheFile, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("compose (-first +second):\n%s\n%s", diff, data)
			}
			for _, kind := range Kinds() {
				if data, _, err = m.Kubernetes(kind); err != nil {
					t.Fatal(err)
				}
				second = throughFile(t, dir, "again.yaml", data)
				if diff := cmp.Diff(inCluster(first), inCluster(second), notOfTheFile, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s (-first +second):\n%s\n%s", kind, diff, data)
				}
			}
		})
	}
}

// exactPorts is the recipe with the ports that an export fixes.
func exactPorts(r *recipe.Recipe) *recipe.Recipe {
	out := *r
	out.Ports = append([]recipe.Port(nil), r.Ports...)
	for i := range out.Ports {
		if out.Ports[i].Host.Mode == recipe.HostPortFrom {
			out.Ports[i].Host.Mode = recipe.HostPortExact
		}
	}
	return &out
}

// inCluster is the recipe without what Kubernetes does not know: the host's ports, where
// the disk is, and how often the guest may end.
func inCluster(r *recipe.Recipe) *recipe.Recipe {
	out := *r
	out.Storage.Path, out.Lifecycle.Restart = "", ""
	out.Ports = append([]recipe.Port(nil), r.Ports...)
	for i := range out.Ports {
		out.Ports[i].Host, out.Ports[i].Address = recipe.HostPort{}, ""
	}
	return &out
}

// TestComposeRoundTrip takes recipes out and in again: what compose can hold is equal.
func TestComposeRoundTrip(t *testing.T) {
	t.Setenv("HOME", "/home/anna")
	for name, text := range map[string]string{
		"ports": "guest = \"windows\"\nsecurity = \"minimal\"\n[env]\nVERSION = \"11\"\nLANGUAGE = \"fr\"\nUSERNAME = \"anna\"\nCOMMAND = 'echo $HOME $$ ${X} $(id)'\n" +
			"[[ports]]\nname = \"viewer\"\nguest = 8006\nhost = 8006\n[[ports]]\nname = \"rdp\"\nguest = 3389\nhost = 3390\naddress = \"0.0.0.0\"\n" +
			"[[ports]]\nguest = 53\nhost = 5353\nprotocol = \"udp\"\n[[ports]]\nguest = 80\n",
		"disks": "guest = \"linux\"\nsecurity = \"minimal\"\nnetwork = \"user\"\n[resources]\ncpus = \"half\"\nmemory = \"6G\"\ndisk = \"200G\"\n[env]\nBOOT = \"fedora\"\n" +
			"[storage]\npath = \"/srv/fedora\"\n[[disks]]\nname = \"disk2\"\nsize = \"50G\"\npath = \"/srv/more\"\n[[disks]]\nname = \"disk3\"\ndevice = \"/dev/sdb\"\n" +
			"[[mounts]]\nsource = \"/srv/share\"\ntarget = \"/shared\"\n[[mounts]]\nsource = \"/srv/my: iso.iso\"\ntarget = \"/boot.iso\"\nread_only = true\n",
		"devices": "guest = \"macos\"\n[env]\nVERSION = \"15\"\n[viewer]\nprotect = true\naudio = true\nresolution = \"1280x720\"\n" +
			"[[devices]]\npath = \"/dev/dri/renderD128\"\n[[devices]]\npath = \"/dev/ttyUSB0\"\ntarget = \"/dev/ttyS9\"\npermissions = \"rw\"\n[[devices]]\ncdi = \"nvidia.com/gpu=0\"\n" +
			"[lifecycle]\nstop_grace = \"5m\"\nrestart = \"on-failure\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			first, err := recipe.Parse([]byte(text), "/home/anna/vm.toml")
			if err != nil {
				t.Fatal(err)
			}
			data, _, err := asMachine(t, first).Compose()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			second := throughFile(t, dir, "compose.yml", data)
			if first.Storage.Path == "" {
				if want := filepath.Join(dir, "vm", "storage"); second.Storage.Path != want {
					t.Errorf("storage is %s, want %s", second.Storage.Path, want)
				}
				second.Storage.Path = ""
			}
			if diff := cmp.Diff(first, second, notOfTheFile, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-first +second):\n%s\n%s", diff, data)
			}
		})
	}
}

// TestKubernetesRoundTrip keeps a command with dollars, which Kubernetes would expand.
func TestKubernetesRoundTrip(t *testing.T) {
	text := "guest = \"windows\"\n[env]\nVERSION = \"11\"\nCOMMAND = 'echo $HOME $$ ${X} $(id)'\nUSERNAME = 'a$b'\n[[ports]]\nguest = 8006\n[lifecycle]\nstop_grace = \"4m\"\n"
	first, err := recipe.Parse([]byte(text), "/home/anna/vm.toml")
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := asMachine(t, first).Kubernetes(Pod)
	if err != nil {
		t.Fatal(err)
	}
	second := throughFile(t, t.TempDir(), "pod.yml", data)
	second.Ports[0].Name = first.Ports[0].Name // the viewer's is given back
	if diff := cmp.Diff(inCluster(first), inCluster(second), notOfTheFile, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-first +second):\n%s\n%s", diff, data)
	}
}

// TestCrictlRoundTrip reads the pair of an export: but for the secret and what a pod does
// not know it is the recipe again.
func TestCrictlRoundTrip(t *testing.T) {
	t.Setenv("HOME", "/home/anna")
	text := "guest = \"windows\"\nnetwork = \"user\"\n[env]\nVERSION = \"11\"\nCOMMAND = 'echo \"$HOME\"'\n[secrets]\nPASSWORD = { env = \"WIN\" }\n[storage]\npath = \"/srv/win\"\n" +
		"[[ports]]\nname = \"viewer\"\nguest = 8006\nhost = 8006\n[[ports]]\nname = \"dns\"\nguest = 53\nhost = 5353\nprotocol = \"udp\"\n" +
		"[[mounts]]\nsource = \"/srv/win.iso\"\ntarget = \"/custom.iso\"\nread_only = true\n[[devices]]\npath = \"/dev/dri/renderD128\"\n[lifecycle]\nstop_grace = \"4m\"\n"
	first, err := recipe.Parse([]byte(text), "/home/anna/vm.toml")
	if err != nil {
		t.Fatal(err)
	}
	files, _, err := asMachine(t, first).Crictl()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var paths []string
	for _, f := range files[:2] {
		paths = append(paths, filepath.Join(dir, f.Name))
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, f.Mode); err != nil {
			t.Fatal(err)
		}
	}
	second := imported(t, paths, "")
	if _, ok := second.Env["PASSWORD"]; ok {
		t.Error("the place of the secret is taken for the password")
	}
	second.Secrets = first.Secrets
	if diff := cmp.Diff(first, second, notOfTheFile, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}
