package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

type execOptions struct {
	interactive bool
	tty         bool
	timeout     time.Duration
}

func newExec(t *terminal) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec NAME -- COMMAND [ARG...]",
		Short: "Run a command in a machine's container, beside QEMU",
		Long: `Runs a command in the container in which QEMU runs the guest; not inside the guest.
vmctl ends with the command's exit code. With -it it runs a shell.`,
		Example: `  vmctl exec demo -- cat /run/shm/qemu.ip
  vmctl exec -it demo -- bash`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(commandOf(args)) == 0 {
				return hint.With(usageError{fmt.Errorf("%s takes a machine and a command", cmd.CommandPath())}, "see: %s --help", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), t, args[0], commandOf(args))
		},
		ValidArgsFunction: t.completeMachine,
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().BoolVarP(&o.interactive, "interactive", "i", false, "connect standard input")
	cmd.Flags().BoolVarP(&o.tty, "tty", "t", false, "give the command a terminal")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 0, "end the command after `TIME`; not with -i or -t")
	return cmd
}

// commandOf is what follows the machine's name. The dashes between them arrive
// here too: flags end at the name, so nobody has taken them for the end of flags.
func commandOf(args []string) []string {
	if len(args) < 2 {
		return nil
	}
	if args[1] == "--" {
		return args[2:]
	}
	return args[1:]
}

func (o *execOptions) run(ctx context.Context, t *terminal, name string, command []string) error {
	if o.timeout < 0 || o.timeout > 0 && (o.interactive || o.tty) {
		return usageError{fmt.Errorf("--timeout %s: it is not negative, and does not go with -i or -t", o.timeout)}
	}
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	if !o.interactive && !o.tty {
		result, err := m.Exec(ctx, name, command, o.timeout)
		if err != nil {
			return err
		}
		if _, err := t.Out.Write(result.Stdout); err != nil {
			return err
		}
		if _, err := t.Err.Write(result.Stderr); err != nil {
			return err
		}
		return exitStatus(result.ExitCode)
	}
	streams := cri.ExecIO{Stdout: t.Out, Stderr: t.Err, TTY: o.tty}
	if o.interactive {
		streams.Stdin = t.In
	}
	if o.tty {
		restore, err := t.rawTerminal(&streams)
		if err != nil {
			return err
		}
		defer restore()
	}
	code, err := m.ExecStream(ctx, name, command, streams)
	if err != nil {
		return err
	}
	return exitStatus(code)
}

// rawTerminal hands the keyboard to the command: what is typed is not echoed here,
// and Ctrl-C goes there.
func (t *terminal) rawTerminal(streams *cri.ExecIO) (restore func(), err error) {
	in, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, usageError{fmt.Errorf("-t needs a terminal as standard input")}
	}
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	sizes, stop := terminalSizes(int(in.Fd()))
	streams.Resize = sizes
	streams.Stderr = nil // a terminal has one output
	return func() { stop(); _ = term.Restore(int(in.Fd()), state) }, nil
}

// terminalSizes tells the terminal's size now and after each change, until stop.
func terminalSizes(fd int) (sizes <-chan cri.Size, stop func()) {
	changed := make(chan os.Signal, 1)
	changed <- syscall.SIGWINCH // for the first size
	signal.Notify(changed, syscall.SIGWINCH)
	out, done := make(chan cri.Size), make(chan struct{})
	go func() {
		for {
			select {
			case <-changed:
			case <-done:
				return
			}
			width, height, err := term.GetSize(fd)
			if err != nil {
				continue
			}
			select {
			case out <- cri.Size{Width: uint16(width), Height: uint16(height)}:
			case <-done:
				return
			}
		}
	}()
	return out, func() { signal.Stop(changed); close(done) }
}

func exitStatus(code int) error {
	if code == 0 {
		return nil
	}
	return exitError{code}
}
