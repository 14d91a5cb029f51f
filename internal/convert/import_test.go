package convert

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"vmctl/internal/recipe"
)

var updateImport = flag.Bool("update-import", false, "write the goldens of the imports anew")

// The parts of an archive that are not input.
const (
	goldenRecipe = "recipe.toml"
	goldenNotes  = "notes.txt"
	chosen       = "service"
)

// Each archive is the files of another tool, and the recipe and notes that come of
// them. They are read in the order of the archive, from a folder named "project".
func TestImportGolden(t *testing.T) {
	t.Setenv("HOME", "/home/anna")
	archives, err := filepath.Glob("testdata/import/*.txtar")
	if err != nil || len(archives) < 10 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "project")
			paths, service := unpack(t, archive, dir)
			w, notes, err := Import(paths, service)
			if err != nil {
				t.Fatal(err)
			}
			text, more, err := w.Recipe()
			if err != nil {
				t.Fatal(err)
			}
			checkParses(t, text, filepath.Join(dir, "vm.toml"))
			var lines []string
			for _, n := range append(notes, more...) {
				lines = append(lines, n.String()+"\n")
			}
			plain := func(s string) string { return strings.ReplaceAll(s, dir, "/project") }
			compare(t, file, archive, goldenRecipe, plain(string(text)))
			compare(t, file, archive, goldenNotes, plain(strings.Join(lines, "")))
		})
	}
}

// checkParses holds the text against the schema.
func checkParses(t *testing.T, text []byte, name string) {
	t.Helper()
	if _, err := recipe.Parse(text, name); err != nil {
		t.Errorf("the recipe is not one:\n%s\n%v", text, err)
	}
}

// unpack writes the archive's input and returns what is given to the import: all but
// the files that others refer to.
func unpack(t *testing.T, archive *txtar.Archive, dir string) (paths []string, service string) {
	t.Helper()
	for _, f := range archive.Files {
		switch {
		case f.Name == goldenRecipe || f.Name == goldenNotes:
			continue
		case f.Name == chosen:
			service = strings.TrimSpace(string(f.Data))
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		if ext := filepath.Ext(f.Name); ext == ".yml" || ext == ".yaml" || ext == ".json" {
			paths = append(paths, path)
		}
	}
	return paths, service
}

// compare holds a part of the archive against what came out, or writes it there.
func compare(t *testing.T, file string, archive *txtar.Archive, name, got string) {
	t.Helper()
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if *updateImport {
		if i < 0 {
			archive.Files = append(archive.Files, txtar.File{Name: name})
			i = len(archive.Files) - 1
		}
		archive.Files[i].Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatalf("%s has no %s: run the test with -update-import, and read what it wrote", file, name)
	}
	if want := string(archive.Files[i].Data); want != got {
		t.Errorf("%s, %s (-want +got):\n%s", file, name, cmp.Diff(want, got))
	}
}
