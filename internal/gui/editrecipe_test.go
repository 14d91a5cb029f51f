package gui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"fyne.io/fyne/v2"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/recipe"
)

// openEdit opens the dialog for a recipe.
func openEdit(t *testing.T, e *fakeEngine, name string) *harness {
	t.Helper()
	h := newHarness(t, e)
	h.press("New machine")
	h.choose(name)
	h.untilText("> " + name)
	h.press("Edit recipe…")
	h.untilText("Edit recipe " + name)
	return h
}

func TestEditRecipe(t *testing.T) {
	h := openEdit(t, &fakeEngine{}, "windows-11")
	h.untilText("Everything else in /recipes/windows-11.toml stays as it is, comments included.")
	if !h.button("Save").Disabled() {
		t.Error("there is nothing to save, and Save can be pressed")
	}
	h.fill("Summary", "The office")
	h.fill("Memory", "16G")
	h.press("Save")
	h.untilCall(`change windows-11 resources.memory="16G" summary="The office"`)
	h.untilNoText("Edit recipe windows-11")
	h.untilText("> windows-11") // the new machine's form is there again
}

func TestEditRecipeTakesAKeyOut(t *testing.T) {
	h := openEdit(t, &fakeEngine{}, "windows-11")
	h.fill("Disk", "1G")
	h.fill("Disk", "")
	h.press("Save")
	h.untilCall(`change windows-11 resources.disk=""`)
}

func TestEditBundledRecipe(t *testing.T) {
	h := openEdit(t, &fakeEngine{}, "alpine")
	h.untilText("A recipe of your own with the same name will extend it.")
	h.press("Cancel")
	h.untilNoText("Edit recipe alpine")
	if calls := h.engine.made(); len(calls) > 0 {
		t.Errorf("calls: %q", calls)
	}
}

func TestEditRecipeErrors(t *testing.T) {
	e := &fakeEngine{}
	e.doing = func(context.Context, string, machine.Reporter) error {
		return hint.With(errors.New("/recipes/windows-11.toml:3:1: resources.disk: Windows 11 needs at least 32G"), "write more")
	}
	h := openEdit(t, e, "windows-11")
	if f := h.fill("Memory", "8"); !strings.Contains(f.Note(), "write 8G or 8M") || !h.button("Save").Disabled() {
		t.Errorf("below the field is %q, and Save is to be pressed: %v", f.Note(), !h.button("Save").Disabled())
	}
	h.fill("Memory", "8G")
	h.fill("Disk", "16G")
	h.press("Save")
	h.untilText("The recipe is not saved")
	h.untilText("resources.disk: Windows 11 needs at least 32G")
	h.untilText("write more")
	h.untilText("> 16G") // what was typed is there to be put right
}

// Save must be within a small window, also below a long error.
func TestEditRecipeInASmallWindow(t *testing.T) {
	e := &fakeEngine{}
	e.doing = func(context.Context, string, machine.Reporter) error {
		return errors.New(strings.Repeat("all is wrong; ", 60))
	}
	h := newHarness(t, e)
	h.w.win.Resize(fyne.NewSize(800, 500))
	h.press("New machine")
	h.choose("windows-11")
	h.press("Edit recipe…")
	h.fill("Summary", "x")
	h.press("Save")
	h.untilText("all is wrong")
	h.press("Save")
	h.until("two attempts", func() bool { return len(e.made()) == 2 })
	h.press("Cancel")
	h.untilNoText("Edit recipe windows-11")
}

func TestBrokenRecipeIsNotEdited(t *testing.T) {
	h := newHarness(t, &fakeEngine{})
	h.press("New machine")
	h.choose("broken")
	h.untilText("This recipe cannot be used")
	if !h.button("Edit recipe…").Disabled() {
		t.Error("a broken recipe can be edited by its fields")
	}
}

// TestEditRecipeOverLiveEngine presses the buttons over real files.
func TestEditRecipeOverLiveEngine(t *testing.T) {
	l, _ := newLive(t)
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.toml")
	const text = "# My own.\nguest = 'demo'\nsummary = 'Small'  # for now\n\n[resources]\n  memory = \"512M\" # was less\n"
	if err := os.WriteFile(mine, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bundled := fstest.MapFS{"demo.toml": {Data: []byte(demoRecipe)}}
	l.Catalog = func() *recipe.Catalog { return recipe.NewCatalog(bundled, dir) }
	h := newHarnessOver(t, l)
	h.press("New machine")
	for _, tt := range []struct{ name, summary, memory string }{{"mine", "Large", "1G"}, {"demo", "Mine", "768M"}} {
		h.choose(tt.name)
		h.untilText("> " + tt.name)
		h.press("Edit recipe…")
		h.fill("Summary", tt.summary)
		h.fill("Memory", tt.memory)
		h.press("Save")
		h.untilNoText("Edit recipe " + tt.name)
		h.untilText(tt.summary)
		h.untilText("> " + tt.memory)
	}
	for file, want := range map[string]string{
		mine:                            strings.NewReplacer("Small", "Large", "512M", "1G").Replace(text),
		filepath.Join(dir, "demo.toml"): "extends = \"bundled:demo\"\nsummary = \"Mine\"\n\n[resources]\nmemory = \"768M\"\n",
	} {
		data, err := os.ReadFile(file)
		if err != nil || string(data) != want {
			t.Errorf("%s has %q, %v; want %q", file, data, err, want)
		}
	}
}
