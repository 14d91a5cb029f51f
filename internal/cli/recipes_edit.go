package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

func newRecipeEdit(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "edit RECIPE|FILE",
		Short: "Edit a recipe and check it before it is saved",
		Long: `Opens a copy of a recipe's file in $VISUAL, or $EDITOR, or the editor that there is. The
file is replaced when the editor ends and the recipe is right. If it is not, what is wrong
is shown, and on a terminal the copy may be edited again; otherwise the copy is kept, and
the error says where.

A bundled recipe stays as it is: what is edited is a file of that name in
$XDG_CONFIG_HOME/vmctl/recipes, which extends it. Machines keep the recipe that they were
made from.

Prints the file that was written.`,
		Example: "  vmctl recipes edit windows-11\n  EDITOR=nano vmctl recipes edit ./vmctl.toml",
		Args:    exactly(1, "one recipe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRecipeEdit(cmd.Context(), t, args[0])
		},
		ValidArgsFunction: t.completeRecipes,
	}
}

func runRecipeEdit(ctx context.Context, t *terminal, arg string) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	f, err := a.Catalog().File(arg)
	if err != nil {
		return err
	}
	editor, err := t.editor()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vmctl-edit-")
	if err != nil {
		return err
	}
	e := &edition{t: t, file: f, editor: editor, copy: filepath.Join(dir, filepath.Base(f.Path))}
	if err := os.WriteFile(e.copy, f.Data, 0o600); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	before := f.Data
	data, err := e.run(ctx)
	if err == nil && data != nil {
		if err = f.Save(data); err == nil {
			err = t.saved(f)
		}
	}
	if now, readErr := os.ReadFile(e.copy); err != nil && readErr == nil && !bytes.Equal(now, before) {
		return keptCopy(err, e.copy)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// keptCopy adds where the user's text is to an error.
func keptCopy(err error, path string) error {
	if h := hint.Of(err); h != "" {
		return hint.With(err, "%s; your text is kept in %s", h, path)
	}
	return hint.With(err, "your text is kept in %s", path)
}

// edition is a file that is being edited by way of a copy.
type edition struct {
	t      *terminal
	file   *recipe.File
	editor string
	copy   string
}

// run lets the user edit the copy until it is right, and returns its text, or nothing if
// that is as it was.
func (e *edition) run(ctx context.Context) ([]byte, error) {
	for {
		if err := e.open(ctx); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(e.copy)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(data, e.file.Data) {
			e.t.note("nothing is changed")
			return nil, nil
		}
		_, err = e.file.Check(data)
		if err == nil {
			return data, nil
		}
		if !e.t.onTerminal() {
			return nil, err
		}
		fmt.Fprintln(e.t.Err, err)
		switch answer, askErr := e.t.ask(ctx, "edit again? [Y/n] "); {
		case askErr != nil && !errors.Is(askErr, io.EOF):
			return nil, askErr
		case askErr != nil, strings.HasPrefix(strings.ToLower(answer), "n"):
			return nil, err
		}
	}
}

// open runs the editor. Its command may have arguments of its own: the shell reads it, as
// for git (git-var(1), GIT_EDITOR).
func (e *edition) open(ctx context.Context) error {
	cmd := exec.Command("sh", "-c", e.editor+` "$@"`, e.editor, e.copy)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.t.In, e.t.Err, e.t.Err
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("editor %q: %w", e.editor, err)
	}
	return ctx.Err()
}

// editor is the user's editor, or one that there is.
func (t *terminal) editor() (string, error) {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if t.Getenv != nil && t.Getenv(name) != "" {
			return t.Getenv(name), nil
		}
	}
	for _, name := range []string{"sensible-editor", "editor", "nano", "vim", "vi"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", hint.With(errors.New("there is no editor"), "name one: EDITOR=... vmctl recipes edit")
}
