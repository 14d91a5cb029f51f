package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
)

type forwardOptions struct {
	via        string
	background bool
	remove     bool
}

func newForward(t *terminal) *cobra.Command {
	var o forwardOptions
	cmd := &cobra.Command{
		Use:   "forward NAME [ADDRESS:]HOST:GUEST[/udp]...",
		Short: "Forward more ports to a machine that is up",
		Long: `Listens on this host and forwards to ports of the guest, besides those of the recipe,
until Ctrl-C, which lets open connections end for a moment; a second one does not. It
goes on when the machine or the runtime is restarted meanwhile. With --background it goes
on without this terminal, until the machine is stopped; --remove ends that earlier.

HOST is a port, 8080+ (it or the next free one), or any (any free one). Both sides may
be ranges. ADDRESS is 127.0.0.1 unless said.

relay dials the pod's address. stream asks the runtime for each connection; it carries
no UDP and ends both directions of a connection when one ends. auto takes the first
that answers, and says why.`,
		Example: `  vmctl forward debian 2222:22
  vmctl forward debian 2222:22 --background
  vmctl forward windows-11 any:5985 [::1]:9000-9010:9000-9010 5353:53/udp`,
		Args: atLeast(2, "a machine and at least one HOST:GUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0], args[1:])
		},
		ValidArgsFunction: t.completeMachine,
	}
	cmd.Flags().StringVar(&o.via, "via", string(portfwd.Auto), "`RUNG` auto, relay or stream")
	cmd.Flags().BoolVar(&o.background, "background", false, "go on until the machine is stopped")
	cmd.Flags().BoolVar(&o.remove, "remove", false, "end forwards that go on in the background")
	_ = cmd.RegisterFlagCompletionFunc("via", cobra.FixedCompletions(
		[]string{string(portfwd.Auto), string(portfwd.Relay), string(portfwd.Stream)}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// drainTime is how long open connections may still end by themselves after Ctrl-C.
const drainTime = 10 * time.Second

func (o *forwardOptions) run(ctx context.Context, t *terminal, name string, texts []string) error {
	via := portfwd.Via(o.via)
	if !slices.Contains([]portfwd.Via{portfwd.Auto, portfwd.Relay, portfwd.Stream}, via) {
		return usageError{fmt.Errorf("--via %q: it is auto, relay or stream", o.via)}
	}
	if o.background && o.remove {
		return usageError{errors.New("--background adds forwards, and --remove ends them: choose one")}
	}
	var specs []portfwd.Spec
	for _, text := range texts {
		some, err := portfwd.ParseSpec(text)
		if err != nil {
			return usageError{err}
		}
		specs = append(specs, some...)
	}
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	if o.remove {
		for _, spec := range specs {
			if err := m.EndForward(ctx, name, spec); err != nil {
				return err
			}
		}
		return nil
	}
	p := t.newProgress()
	if o.background {
		forwards, err := m.KeepForward(ctx, name, specs, via, p.report)
		p.close()
		for _, f := range forwards {
			if printErr := t.printForward(name, f); err == nil {
				err = printErr
			}
		}
		return err
	}
	return t.forwardHere(ctx, m, name, specs, via, p)
}

// forwardHere serves until ctx ends.
func (t *terminal) forwardHere(ctx context.Context, m *machine.Manager, name string, specs []portfwd.Spec, via portfwd.Via, p progress) error {
	forwarding, err := m.Forward(ctx, name, specs, via, p.report)
	p.close()
	if err != nil {
		return err
	}
	for _, s := range forwarding.List() {
		if err = t.printForward(name, s.Forward); err != nil {
			break
		}
	}
	if err == nil {
		<-ctx.Done()
		t.sayOpen(forwarding.List())
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	forwarding.Drain(grace)
	return err
}

// sayOpen tells what the end waits for. Flows of UDP have no end to wait for.
func (t *terminal) sayOpen(forwards []portfwd.Status) {
	open := 0
	for _, s := range forwards {
		if s.Protocol == portfwd.TCP {
			open += s.Open
		}
	}
	if open > 0 {
		t.note("connections still open: %d; they have %s to end, or until Ctrl-C again", open, drainTime)
	}
}

func (t *terminal) printForward(name string, f portfwd.Forward) error {
	_, err := fmt.Fprintf(t.Out, "%s -> %s:%d/%s by %s: %s\n", f.Host(), name, f.GuestPort, f.Protocol, f.Via, f.Why)
	return err
}
