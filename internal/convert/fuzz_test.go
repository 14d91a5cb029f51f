package convert

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/txtar"
)

// seeds adds the files of the archives whose names begin so.
func seeds(f *testing.F, prefix string) {
	f.Helper()
	archives, err := filepath.Glob("testdata/import/" + prefix + "*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("no archives of %s: %v", prefix, err)
	}
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if ext := filepath.Ext(part.Name); ext == ".yml" || ext == ".yaml" || ext == ".json" {
				f.Add(part.Data)
			}
		}
	}
}

// checkRead holds what a reader returned against its promise: an error that says
// what is wrong, or a workload whose recipe is TOML.
func checkRead(t *testing.T, w Workload, notes []Note, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, ErrInput) && !errors.Is(err, os.ErrNotExist) || strings.TrimSpace(err.Error()) == "" {
			t.Errorf("error %q is not ErrInput", err)
		}
		return
	}
	text, more, err := w.Recipe()
	if err != nil {
		t.Fatal(err)
	}
	var any map[string]any
	if err := toml.Unmarshal(text, &any); err != nil {
		t.Errorf("not TOML: %v\n%s", err, text)
	}
	for _, n := range append(notes, more...) {
		if n.Where == "" || n.Text == "" {
			t.Errorf("an empty note: %+v", n)
		}
	}
}

// readsFiles are the keys that make the loader read other files, which need not be
// files at all.
var readsFiles = regexp.MustCompile(`include|extends|_file`)

func FuzzReadCompose(f *testing.F) {
	seeds(f, "compose")
	f.Fuzz(func(t *testing.T, data []byte) {
		if readsFiles.Match(data) {
			return
		}
		w, notes, err := ReadCompose(data, "/fuzz/compose.yml", "")
		checkRead(t, w, notes, err)
	})
}

func FuzzReadKubernetes(f *testing.F) {
	seeds(f, "kubernetes")
	f.Fuzz(func(t *testing.T, data []byte) {
		w, notes, err := ReadKubernetes(data, "/fuzz/kubernetes.yml", "")
		checkRead(t, w, notes, err)
	})
}

func FuzzReadCrictl(f *testing.F) {
	seeds(f, "crictl")
	pod := InputFile{"/fuzz/pod.json", []byte(`{"metadata": {"name": "a"}}`)}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, notes, err := ReadCrictl(pod, InputFile{"/fuzz/container.json", data})
		checkRead(t, w, notes, err)
	})
}

func FuzzIdentity(f *testing.F) {
	for _, base := range []string{"win11x64.iso", "win11x64_fr.iso", "windows.1.iso", "a b%.iso", "_.iso", "", "x/../y.iso"} {
		f.Add(base)
	}
	f.Fuzz(func(t *testing.T, base string) {
		id, ok := identityOf(base)
		if got := isoName(id.version, id.language); ok && !strings.EqualFold(got, base) {
			t.Errorf("%q is read as %+v, which makes %q", base, id, got)
		}
	})
}
