package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
)

// waitOptions are the options of the verbs that start a machine.
type waitOptions struct {
	until         string
	timeout       time.Duration
	markInstalled bool
	reinstall     bool
	noSnapshot    bool
}

func (o *waitOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.until, "wait", string(machine.UntilReady), "how far to wait: `STAGE` running, viewer or ready")
	f.DurationVar(&o.timeout, "timeout", 0, "give up waiting after `TIME` (default: by guest); the machine goes on")
	f.BoolVar(&o.markInstalled, "mark-installed", false, "the guest is installed: keep its disk although it was never shut down cleanly")
	f.BoolVar(&o.reinstall, "reinstall", false, "keep the disk as a snapshot, and let the image install anew")
	f.BoolVar(&o.noSnapshot, "no-snapshot", false, "with --reinstall: keep nothing of the disk")
	_ = cmd.RegisterFlagCompletionFunc("wait", cobra.FixedCompletions(
		[]string{string(machine.UntilRunning), string(machine.UntilViewer), string(machine.UntilReady)}, cobra.ShellCompDirectiveNoFileComp))
}

func (o *waitOptions) start() (machine.StartOptions, error) {
	until := machine.Until(o.until)
	switch until {
	case machine.UntilRunning, machine.UntilViewer, machine.UntilReady:
	default:
		return machine.StartOptions{}, usageError{fmt.Errorf("--wait %q: it is running, viewer or ready", o.until)}
	}
	if o.markInstalled && o.reinstall {
		return machine.StartOptions{}, usageError{errors.New("--mark-installed keeps the disk, and --reinstall gives it up: choose one")}
	}
	if o.noSnapshot && !o.reinstall {
		return machine.StartOptions{}, usageError{errors.New("--no-snapshot goes with --reinstall")}
	}
	if o.timeout < 0 {
		return machine.StartOptions{}, usageError{fmt.Errorf("--timeout %s: a time is not negative", o.timeout)}
	}
	return machine.StartOptions{Wait: until, Timeout: o.timeout, MarkInstalled: o.markInstalled, Reinstall: o.reinstall, NoSnapshot: o.noSnapshot}, nil
}

// printStarted says where the machine's doors are.
func (t *terminal) printStarted(m machine.Machine) error {
	if t.json {
		return t.printJSON(toJSON(m))
	}
	_, err := fmt.Fprintf(t.Out, "%s is %s\n", m.Name, strings.ToLower(string(m.Phase)))
	if err != nil {
		return err
	}
	for _, f := range m.Forwards {
		where := f.Host().String()
		if url := m.ViewerURL(); f.GuestPort == viewerGuestPort && f.Protocol == portfwd.TCP {
			where = url
		}
		name := f.Name
		if name == "" {
			name = fmt.Sprintf("guest %d", f.GuestPort)
		}
		if f.Protocol == portfwd.UDP {
			where += " (udp)"
		}
		if _, err := fmt.Fprintf(t.Out, "  %-10s %s\n", name, where); err != nil {
			return err
		}
	}
	return nil
}

// viewerGuestPort is where every image serves its web viewer.
const viewerGuestPort = 8006
