package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/containerd"
	"vmctl/internal/hint"
)

type runtimeLogsOptions struct {
	follow bool
	tail   int
}

func newRuntimeLogs(t *terminal) *cobra.Command {
	var o runtimeLogsOptions
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Print the private runtime's own log",
		Long: `Prints the log of the private runtime's daemon, not those of machines (vmctl logs).
With -f it goes on until Ctrl-C.`,
		Example: "  sudo vmctl runtime logs -n 50",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), t)
		},
	}
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with new lines")
	cmd.Flags().IntVarP(&o.tail, "tail", "n", 0, "only the last `N` lines")
	return cmd
}

func (o *runtimeLogsOptions) run(ctx context.Context, t *terminal) error {
	if o.tail < 0 {
		return usageError{errors.New("--tail is not negative")}
	}
	a, err := t.app()
	if err != nil {
		return err
	}
	instance, err := a.Instance(containerd.Options{})
	if err != nil {
		return err
	}
	file, err := os.Open(instance.LogPath())
	if errors.Is(err, fs.ErrNotExist) {
		return hint.With(fmt.Errorf("private runtime %q has no log: it was never started: %w", instance.Name(), err), "start it with: sudo vmctl --runtime-name %s runtime start", instance.Name())
	}
	if err != nil {
		return err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	if err := o.print(t.Out, reader); err != nil || !o.follow {
		return err
	}
	for {
		if _, err := io.Copy(t.Out, reader); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// print writes what is there, or its last lines.
func (o *runtimeLogsOptions) print(out io.Writer, in *bufio.Reader) error {
	if o.tail <= 0 {
		_, err := io.Copy(out, in)
		return err
	}
	var last []string
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			last = append(last, line)
			last = last[max(0, len(last)-o.tail):]
		}
		if err != nil {
			break
		}
	}
	for _, line := range last {
		if _, err := io.WriteString(out, line); err != nil {
			return err
		}
	}
	return nil
}
