// Package vmctl holds no code. Its test keeps the rules of the house: who may
// import whom, one package comment for each package, and what the text of this
// repository may not speak of.
package vmctl

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors says how high each package stands. A package imports only what stands
// lower, and of its own floor only what beside names. ARCHITECTURE.md draws it.
var floors = map[string]int{
	"recipes":              0,
	"internal/hint":        0,
	"internal/tomledit":    0,
	"internal/version":     0,
	"internal/autostart":   1,
	"internal/cri":         1,
	"internal/portfwd":     1,
	"internal/storage":     1,
	"internal/viewer":      1,
	"internal/firewall":    1,
	"internal/host":        1,
	"internal/containerd":  1,
	"internal/secret":      1,
	"internal/machine":     2,
	"internal/recipe":      2,
	"internal/convert":     2,
	"internal/gui/assets":  0,
	"internal/gui/widgets": 1,
	"internal/app":         3,
	"internal/cli":         3,
	"internal/gui":         3,
	"cmd/vmctl":            4,
	"cmd/vmgui":            4,
}

// beside are the allowed imports on one floor.
var beside = map[string][]string{
	"internal/machine": {"internal/recipe"},
	"internal/convert": {"internal/recipe"},
	"internal/cli":     {"internal/app"},
}

// outside are main packages that build images: they import nothing of the house.
var outside = []string{"bench/", "images/"}

// file is one Go file of the repository.
type file struct {
	path string // slash separated, relative to the root
	dir  string
	ast  *ast.File
}

func goFiles(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "tools" || d.Name() == "testdata"):
			return filepath.SkipDir
		case !strings.HasSuffix(p, ".go"):
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, file{filepath.ToSlash(p), path.Dir(filepath.ToSlash(p)), tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found: is the test run in the repository's root?", len(files))
	}
	return files
}

func TestFloors(t *testing.T) {
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f.path, "_test.go") || strings.HasSuffix(f.dir, "test") || f.dir == "." {
			continue
		}
		if slices.ContainsFunc(outside, func(p string) bool { return strings.HasPrefix(f.dir+"/", p) }) {
			continue
		}
		floor, known := floors[f.dir]
		if !known {
			t.Errorf("%s: package %s stands on no floor: add it to floors in repo_test.go and to ARCHITECTURE.md", f.path, f.dir)
			continue
		}
		for _, spec := range f.ast.Imports {
			target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "vmctl/")
			if !ours || slices.Contains(beside[f.dir], target) {
				continue
			}
			if to, ok := floors[target]; !ok || to >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", f.path, floor, target, to)
			}
		}
	}
}

func TestFyneStaysInItsPlace(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, spec := range f.ast.Imports {
			imported := strings.Trim(spec.Path.Value, `"`)
			if !strings.HasPrefix(imported, "fyne.io/fyne/v2") {
				continue
			}
			if imported == "fyne.io/fyne/v2/app" && f.dir != "cmd/vmgui" {
				t.Errorf("%s imports %s: it needs C and a display, and only cmd/vmgui may", f.path, imported)
			}
			if f.dir != "cmd/vmgui" && !strings.HasPrefix(f.dir, "internal/gui") {
				t.Errorf("%s imports %s: only the window may", f.path, imported)
			}
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range goFiles(t) {
		if strings.HasSuffix(f.path, "_test.go") && f.dir != "." {
			continue
		}
		if f.ast.Doc != nil {
			comments[f.dir] = append(comments[f.dir], f.path)
		} else if comments[f.dir] == nil {
			comments[f.dir] = []string{}
		}
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v, want 1", dir, len(files), files)
		}
	}
}

func TestNoCatchAllPackage(t *testing.T) {
	for _, f := range goFiles(t) {
		switch path.Base(f.dir) {
		case "util", "utils", "common", "helper", "helpers", "misc":
			t.Errorf("%s: name the package after what it is for", f.path)
		}
	}
}

func TestThinMains(t *testing.T) {
	for _, main := range []string{"cmd/vmctl/main.go", "cmd/vmgui/main.go"} {
		data, err := os.ReadFile(main)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(data), "\n"); lines > 30 {
			t.Errorf("%s has %d lines, want at most 30", main, lines)
		}
	}
}

func TestGoModHasNoReplace(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "replace") {
			t.Errorf("go.mod: %s", line)
		}
	}
}
