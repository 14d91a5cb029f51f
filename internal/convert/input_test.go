package convert

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vmctl/internal/hint"
)

// Each file has one thing wrong, and the error says where and what.
func TestBadInput(t *testing.T) {
	for _, tt := range []struct{ name, text, service, want, hint string }{
		{"not YAML", "services: [", "", "f.yml:1: ", ""},
		{"nothing", "", "", "f.yml: none of the known formats", ""},
		{"another file", "a: 1", "", "f.yml: none of the known formats", ""},
		{"a tab", "services:\n\twin:\n", "", "f.yml:2: found character that cannot start any token", ""},
		{"compose, a wrong key", "services:\n  win:\n    imagee: x\n", "", "f.yml:3: services.win.imagee: compose has no such key", ""},
		{"compose, a wrong type", "services:\n  win:\n    image: x\n    ports: 3\n", "", "f.yml:4: services.win.ports: must be a array", ""},
		{"compose, a wrong port", "services:\n  win:\n    image: x\n    ports: ['99999:1']\n", "", "f.yml", ""},
		{"compose, several", "services:\n  win: {image: x}\n  db: {image: i}\n", "", `f.yml: services: there are several: "db", "win"`, "--service"},
		{"compose, no such", "services:\n  win: {image: x}\n", "mac", `f.yml: services: no service "mac"; there are "win"`, ""},
		{"compose, none", "services: {}\n", "", "f.yml: ", ""},
		{"compose, a missing env_file", "services:\n  win: {image: x, env_file: none.env}\n", "", "none.env", ""},
		{"compose, a required variable", "services:\n  win: {image: \"x:${TAG_OF_NOTHING:?say it}\"}\n", "", "say it", ""},
		{"kubernetes, a wrong type", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: 3}\n", "", "f.yml:1: Pod/a: ", ""},
		{"kubernetes, no pod", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "", "f.yml: no Pod, Deployment or StatefulSet", ""},
		{"kubernetes, several", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: x, image: i}, {name: z, image: i}]}\n", "", `there are several: "a/x", "a/z"`, "--service a/x"},
		{"kubernetes, no such", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: x, image: i}]}\n", "b", `no pod "b"; there are "a"`, ""},
		{"kubernetes, a second document", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\na: 1\n", "", "f.yml:5: kind: missing", ""},
		{"crictl, a pod alone", "metadata: {name: a}\n", "", "f.yml: a pod config alone", "container-config.json"},
		{"crictl, a wrong type", "metadata: {name: a}\nimage: 3\n", "", "f.yml: as crictl would read it", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.yml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, _, err := Import([]string{path}, tt.service)
			if !errors.Is(err, ErrInput) {
				t.Fatalf("error %v is not ErrInput", err)
			}
			if text := strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""); !strings.Contains(text, tt.want) || strings.Contains(text, "\n") {
				t.Errorf("error %q, want one line with %q", text, tt.want)
			}
			if !strings.Contains(hint.Of(err), tt.hint) {
				t.Errorf("hint %q, want %q", hint.Of(err), tt.hint)
			}
		})
	}
}

func TestImportFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pod := write("pod.json", `{"metadata": {"name": "a"}, "port_mappings": [{"container_port": 8006}]}`)
	container := write("container.json", `{"metadata": {"name": "vm"}, "image": {"image": "x"}}`)
	compose := write("compose.yml", "services: {win: {image: x}}")
	for _, order := range [][]string{{pod, container}, {container, pod}} {
		w, _, err := Import(order, "")
		if err != nil || w.Name != "a" || len(w.Ports) != 1 {
			t.Errorf("%v: %+v, %v", order, w, err)
		}
	}
	if w, notes, err := Import([]string{container}, ""); err != nil || w.Name != "vm" || len(notes) != 1 {
		t.Errorf("a container alone: %+v, %v, %v", w, notes, err)
	}
	for _, paths := range [][]string{{pod, pod}, {container, container}, {compose, compose}, {container, compose}, {dir, pod}} {
		if _, _, err := Import(paths, ""); !errors.Is(err, ErrInput) {
			t.Errorf("%v: error %v, want ErrInput", paths, err)
		}
	}
	if _, _, err := Import([]string{filepath.Join(dir, "none")}, ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v for a file that is not there", err)
	}
}
