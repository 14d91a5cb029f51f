package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
)

type eventsOptions struct{ since time.Duration }

// jsonEvent is an event as --json prints it.
type jsonEvent struct {
	Time    time.Time `json:"time"`
	Machine string    `json:"machine,omitempty"`
	UID     string    `json:"uid,omitempty"`
	Event   string    `json:"event"`
	Text    string    `json:"text,omitempty"`
}

func newEvents(t *terminal) *cobra.Command {
	var o eventsOptions
	cmd := &cobra.Command{
		Use:   "events [NAME...]",
		Short: "Tell what happens to machines, until Ctrl-C",
		Long: `Prints a line for whatever happens to machines, from now on and until Ctrl-C: created,
starting, installing, ready, paused, resumed, stopping, stopped, failed, renamed, removed,
orphan; and lost and found, when the runtime goes and comes back. Without a NAME it tells
of all machines.

It follows the runtime's own events where there are some (containerd from 1.7 on, CRI-O
with enable_pod_events), and looks now and then elsewhere. Nothing keeps events: of what
was before, --since tells when machines were created and last started.`,
		Example: "  vmctl events --since 1h\n  vmctl events --json windows-11 | jq -r 'select(.event == \"failed\") | .text'",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args)
		},
		ValidArgsFunction: t.completeMachines,
	}
	cmd.Flags().DurationVar(&o.since, "since", 0, "also what is known of the last `TIME`, as 10m")
	t.jsonFlag(cmd)
	return cmd
}

func (o *eventsOptions) run(ctx context.Context, t *terminal, names []string) error {
	if o.since < 0 {
		return usageError{errors.New("--since is not negative")}
	}
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	var since time.Time
	if o.since > 0 {
		since = time.Now().Add(-o.since)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err = m.Events(ctx, names, since, func(e machine.Event) {
		if err := t.printEvent(e); err != nil {
			stop(err) // who reads has gone
		}
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return untilInterrupted(ctx, err)
}

// untilInterrupted is the end of what only an interruption ends: that is success.
func untilInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (t *terminal) printEvent(e machine.Event) error {
	if t.json {
		return t.printJSONLine(jsonEvent{e.Time, e.Machine, e.UID, string(e.Kind), e.Text})
	}
	text := ""
	if e.Text != "" {
		text = ": " + e.Text
	}
	_, err := fmt.Fprintf(t.Out, "%s  %s  %s%s\n", e.Time.Local().Format("2006-01-02 15:04:05"), dash(e.Machine), e.Kind, text)
	return err
}
