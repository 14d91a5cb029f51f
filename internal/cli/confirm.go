package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
)

// confirm asks a question on the terminal, and returns nil for a yes. Anything else
// is ErrGuard, the end of input (Ctrl-D) included, and so is having no terminal: what
// is asked about cannot be undone. The error is ctx's when ctx ends first.
func (t *terminal) confirm(ctx context.Context, question string) error {
	if !t.onTerminal() {
		return hint.With(fmt.Errorf("%w: %s", machine.ErrGuard, question), "add --yes to do it without being asked")
	}
	answer, err := t.ask(ctx, question+" [y/N] ")
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	}
	return fmt.Errorf("%w: not confirmed", machine.ErrGuard)
}
