package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// killWait is how long the output of a program that was ended is waited for: what it
// started may hold it open.
const killWait = 2 * time.Second

// run returns what a program prints. It gets no standard input: one that asks opens
// the terminal itself, as pinentry does.
func run(ctx context.Context, words []string) (string, error) {
	if len(words) == 1 {
		words = []string{"sh", "-c", words[0]}
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var out limited
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &complaints, killWait
	err := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return "", fmt.Errorf("%s: %w%s", words[0], err, lastLine(complaints.String()))
	case err != nil:
		return "", err
	}
	return out.String(), nil
}

// lastLine is what a program complained of last, as an addition to an error.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}

// limited keeps no more than is needed to see that it is too much.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := maxValue + 2 - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
