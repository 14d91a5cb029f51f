package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// onTerminal tells whether there is somebody to ask.
func (t *terminal) onTerminal() bool {
	in, ok := t.In.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// ask puts a question on the terminal and returns the line that is typed, without the
// white space around it. The end of input (Ctrl-D) is io.EOF; the error is ctx's when ctx
// ends first.
func (t *terminal) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.Err, question)
	type line struct {
		text string
		err  error
	}
	// The read cannot be interrupted: it is left behind when ctx ends. A terminal hands
	// over one line at a time, so nothing is lost in the buffer.
	answers := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(t.In).ReadString('\n')
		answers <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(t.Err)
		return "", ctx.Err()
	case answer := <-answers:
		if answer.err != nil {
			fmt.Fprintln(t.Err)
			return "", io.EOF
		}
		return strings.TrimSpace(answer.text), nil
	}
}
