package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/cri"
)

type logsOptions struct {
	follow     bool
	tail       int
	since      time.Duration
	timestamps bool
}

func newLogs(t *terminal) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print the log of a machine's container since its last start",
		Long: `Prints what the image and the guest's serial port wrote since the machine was last
started. With -f it goes on until the machine stops.`,
		Example: "  vmctl logs -n 20 windows-11\n  vmctl logs -f --since 10m windows-11",
		Args:    exactly(1, "one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0])
		},
		ValidArgsFunction: t.completeMachine,
	}
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with new lines")
	cmd.Flags().IntVarP(&o.tail, "tail", "n", 0, "only the last `N` lines")
	cmd.Flags().DurationVar(&o.since, "since", 0, "only lines of the last `TIME`, as 10m")
	cmd.Flags().BoolVarP(&o.timestamps, "timestamps", "t", false, "put the time before each line")
	return cmd
}

func (o *logsOptions) run(ctx context.Context, t *terminal, name string) error {
	if o.tail < 0 || o.since < 0 {
		return usageError{errors.New("--tail and --since are not negative")}
	}
	a, err := t.app()
	if err != nil {
		return err
	}
	m := a.Offline()
	if o.follow {
		if m, err = a.Machines(ctx); err != nil {
			return err
		}
	}
	options := cri.LogOptions{Follow: o.follow, Tail: o.tail}
	if o.since > 0 {
		options.Since = time.Now().Add(-o.since)
	}
	return m.Logs(ctx, name, options, func(l cri.LogLine) error {
		if o.timestamps {
			_, err := fmt.Fprintf(t.Out, "%s %s\n", l.Time.Local().Format(time.RFC3339), l.Text)
			return err
		}
		_, err := fmt.Fprintln(t.Out, l.Text)
		return err
	})
}
