package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/adrg/xdg"

	"vmctl/internal/recipe"
)

// errNoAnswer is the end of input in place of an answer. It counts as an interruption.
var errNoAnswer = fmt.Errorf("no answer: %w", context.Canceled)

// questions asks for all that a draft has, and for the file.
func (o *newRecipe) questions(ctx context.Context, t *terminal, f *recipe.File) error {
	d := &o.draft
	if err := t.choose(ctx, "System", string(recipe.Windows), guestChoices(), func(answer string) error {
		d.Guest = recipe.Guest(answer)
		return d.Problem("guest")
	}); err != nil {
		return err
	}
	if key := recipe.VersionKey(d.Guest); key != "" {
		if err := t.choose(ctx, "Version", recipe.UsualVersion(d.Guest), versionChoices(d.Guest), func(answer string) error {
			d.Choose(answer)
			return d.Problem(key)
		}); err != nil {
			return err
		}
	}
	if err := o.propose(); err != nil {
		return err
	}
	for _, q := range []struct {
		question, key string
		field         *string
	}{
		{"Language, such as de or pt-br", "env.LANGUAGE", &d.Language},
		{"Processors: a number, half or max", "resources.cpus", &d.CPUs},
		{"Memory, such as 8G", "resources.memory", &d.Memory},
		{"Disk, such as 64G", "resources.disk", &d.Disk},
	} {
		if *q.field == "" {
			continue // not for this guest
		}
		if err := t.fill(ctx, q.question, *q.field, func(answer string) error {
			*q.field = answer
			return d.Problem(q.key)
		}); err != nil {
			return err
		}
	}
	if o.output != "" {
		return nil
	}
	return t.fill(ctx, "File", f.Path, func(answer string) error {
		if rest, ok := strings.CutPrefix(answer, "~/"); ok {
			answer = filepath.Join(xdg.Home, rest)
		}
		f.Path = answer
		return o.free(answer)
	})
}

// guestChoices and versionChoices are rows of a list: what is written, then what it is.
func guestChoices() [][]string {
	about := map[recipe.Guest]string{recipe.Windows: "Windows", recipe.MacOS: "macOS", recipe.Linux: "Linux, from a list of distributions",
		recipe.Demo: "a small machine to try vmctl with"}
	var rows [][]string
	for _, g := range recipe.Guests() {
		rows = append(rows, []string{string(g), about[g]})
	}
	return rows
}

func versionChoices(g recipe.Guest) [][]string {
	var rows [][]string
	for _, v := range recipe.Versions(g) {
		download, support := "", ""
		if v.Download != "" {
			download = v.Download + " to download"
		}
		if !v.Supported(time.Now()) {
			support = "no security updates since " + v.Support
		} else if v.Support != "" {
			support = "security updates until " + v.Support
		}
		rows = append(rows, []string{recipe.ShortName(g, v), v.Title, download, support})
	}
	return rows
}

// choose shows a list and asks for the first word of a row, or anything else that take
// knows. The rows have no numbers: 7, 10 and 11 are versions of Windows.
func (t *terminal) choose(ctx context.Context, question, proposal string, rows [][]string, take func(string) error) error {
	w := tabwriter.NewWriter(t.Err, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(w, "  %s\n", strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return t.fill(ctx, question, proposal, take)
}

// fill asks until take has an answer that it likes. No answer is the proposal.
func (t *terminal) fill(ctx context.Context, question, proposal string, take func(string) error) error {
	for {
		answer, err := t.ask(ctx, fmt.Sprintf("%s [%s] ", question, proposal))
		switch {
		case errors.Is(err, io.EOF):
			return errNoAnswer
		case err != nil:
			return err
		case answer == "":
			answer = proposal
		}
		if err := take(answer); err != nil {
			fmt.Fprintln(t.Err, err)
			continue
		}
		return nil
	}
}
