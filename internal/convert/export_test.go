package convert

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/machine"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

var updateExport = flag.Bool("update-export", false, "write the golden files of the exports anew")

// exportedRecipes are the recipes of testdata/export, as machines yet to be made.
func exportedRecipes(t *testing.T) map[string]Machine {
	t.Helper()
	files, err := filepath.Glob("testdata/export/*.toml")
	if err != nil || len(files) < 3 {
		t.Fatalf("recipes: %v, %v", files, err)
	}
	out := map[string]Machine{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".toml")] = toMachine(t, string(data), filepath.Base(file), "")
	}
	return out
}

// toMachine is what the command line exports; home is as in machine.Manager.Configs.
func toMachine(t *testing.T, text, file, home string) Machine {
	t.Helper()
	r, err := recipe.Parse([]byte(text), "/home/anna/recipes/"+file)
	if err != nil {
		t.Fatal(err)
	}
	manager := &machine.Manager{Store: storage.NewStore("/home/anna/.local/share/vmctl/machines")}
	if home == "" {
		home = r.MachineName()
	}
	c, err := manager.Configs(t.Context(), r.MachineName(), r, home)
	if err != nil {
		t.Fatal(err)
	}
	c.Pod.DNS = nil // this host's
	return Machine(c)
}

// sameAsGolden compares with a file of testdata/export.
func sameAsGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata/export", name)
	if *updateExport {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// toldAtTop looks for each note in the comment at the top of a file.
func toldAtTop(t *testing.T, file []byte, notes []Note) {
	t.Helper()
	var words []string
	for _, line := range strings.Split(string(file), "\n") {
		if strings.HasPrefix(line, "#") {
			words = append(words, strings.Fields(strings.TrimLeft(line, "# "))...)
		}
	}
	top := strings.Join(words, " ")
	for _, n := range notes {
		if !strings.Contains(top, strings.Join(strings.Fields(n.String()), " ")) {
			t.Errorf("not at the top of the file: %s", n)
		}
	}
}

func TestExportCompose(t *testing.T) {
	for name, m := range exportedRecipes(t) {
		data, notes, err := m.Compose()
		if err != nil {
			t.Fatal(err)
		}
		sameAsGolden(t, name+".compose.yml", data)
		toldAtTop(t, data, notes)
	}
}

func TestExportKubernetes(t *testing.T) {
	for name, m := range exportedRecipes(t) {
		for _, kind := range Kinds() {
			data, notes, err := m.Kubernetes(kind)
			if err != nil {
				t.Fatal(err)
			}
			sameAsGolden(t, name+"."+strings.ToLower(string(kind))+".yml", data)
			toldAtTop(t, data, notes)
		}
	}
}

func TestExportCrictl(t *testing.T) {
	for name, m := range exportedRecipes(t) {
		files, notes, err := m.Crictl()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Mode&0o077 != 0 {
				t.Errorf("%s can be read by others: %v", f.Name, f.Mode)
			}
			if f.Name != ScriptFile {
				sameAsGolden(t, name+"."+f.Name, f.Data)
				continue
			}
			toldAtTop(t, f.Data, notes)
			own, same, _ := strings.Cut(string(f.Data), "\n# From here on")
			sameAsGolden(t, name+".machine.sh", []byte(own+"\n"))
			if !strings.HasSuffix(script, same) {
				t.Errorf("%s: the script is not the same for every machine", name)
			}
			lint(t, f.Data)
		}
	}
}

// lint runs shellcheck, which knows sh as POSIX has it.
func lint(t *testing.T, script []byte) {
	t.Helper()
	cmd := exec.Command("shellcheck", "--shell=sh", "-")
	cmd.Stdin = strings.NewReader(string(script))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}

// TestMadeMachine is told whose disk it is, and when it is in danger.
func TestMadeMachine(t *testing.T) {
	m := exportedRecipes(t)["full"]
	m.Made, m.Danger = true, "it was never shut down cleanly"
	_, compose, err := m.Compose()
	if err != nil {
		t.Fatal(err)
	}
	_, kubernetes, err := m.Kubernetes(Pod)
	if err != nil {
		t.Fatal(err)
	}
	files, crictl, err := m.Crictl()
	if err != nil {
		t.Fatal(err)
	}
	for format, notes := range map[string][]Note{"compose": compose, "kubernetes": kubernetes, "crictl": crictl} {
		text := ""
		for _, n := range notes {
			text += n.String() + "\n"
		}
		if !strings.Contains(text, "never run both at once") || !strings.Contains(text, "it was never shut down cleanly") {
			t.Errorf("%s does not tell of the disk:\n%s", format, text)
		}
	}
	if !strings.Contains(string(files[2].Data), "\nmade='yes'\n") {
		t.Error("the script would make the folder of a disk that is lost")
	}
}

func TestHeaderKeepsToComments(t *testing.T) {
	got := header([]string{"one\ntwo\u2028three"}, []Note{{"a", strings.Repeat("long ", 30) + strings.Repeat("x", 120)}})
	for _, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
		if !strings.HasPrefix(line, "#") || strings.ContainsRune(line, '\u2028') {
			t.Errorf("not a comment: %q", line)
		}
	}
}
