package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

// confirm asks a question on the terminal, and returns nil for a yes. Anything else
// is ErrGuard, the end of input (Ctrl-D) included, and so is having no terminal: what
// is asked about cannot be undone. The error is ctx's when ctx ends first.
func (t *terminal) confirm(ctx context.Context, question string) error {
	in, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return hint.With(fmt.Errorf("%w: %s", machine.ErrGuard, question), "add --yes to do it without being asked")
	}
	fmt.Fprintf(t.Err, "%s [y/N] ", question)
	// The read cannot be interrupted: it is left behind when ctx ends.
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(in).ReadString('\n')
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(t.Err)
		return ctx.Err()
	case answer := <-answers:
		if !strings.HasSuffix(answer, "\n") {
			fmt.Fprintln(t.Err)
		}
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		}
		return fmt.Errorf("%w: not confirmed", machine.ErrGuard)
	}
}
