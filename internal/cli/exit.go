package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vmctl/internal/containerd"
	"vmctl/internal/convert"
	"vmctl/internal/cri"
	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// The exit codes. They are a promise to scripts: a new one may come, none changes.
const (
	exitOK          = 0
	exitOther       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitPhase       = 4
	exitRuntime     = 5
	exitTimeout     = 6
	exitGuard       = 7
	exitInterrupted = 130
)

// errUsage marks errors of the command line itself.
var errUsage = errors.New("usage")

// usageError is an error of the command line.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }
func (e usageError) Unwrap() error      { return e.error }

// exitError is a command's own exit code, of `vmctl exec`.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exitRow is one exit code: what it means, and the errors that lead to it.
type exitRow struct {
	code    int
	meaning string
	errs    []error
}

// exitTable maps errors to exit codes. The first row that matches counts.
var exitTable = []exitRow{
	{exitInterrupted, "interrupted; what was waited for goes on", []error{context.Canceled}},
	{exitUsage, "wrong usage, recipe or configuration", []error{errUsage, storage.ErrInvalidName, containerd.ErrInvalidName, convert.ErrInput, cri.ErrEndpoint}},
	{exitGuard, "refused to protect data", []error{machine.ErrGuard, recipe.ErrChanged}},
	{exitTimeout, "timed out", []error{machine.ErrTimeout, cri.ErrTimeout, context.DeadlineExceeded}},
	{exitRuntime, "runtime unreachable or not usable", []error{cri.ErrUnavailable, cri.ErrPermission, cri.ErrCRIDisabled, cri.ErrNoRuntime, cri.ErrNotReady}},
	{exitPhase, "wrong phase, already exists, or taken", []error{machine.ErrPhase, machine.ErrExists, portfwd.ErrTaken, os.ErrExist}},
	{exitNotFound, "not found", []error{machine.ErrNotFound, machine.ErrNoSnapshot, recipe.ErrUnknown, cri.ErrNotFound, os.ErrNotExist}},
}

func exitCode(err error) int {
	var own exitError
	var problems recipe.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &problems):
		return exitUsage
	}
	for _, row := range exitTable {
		for _, target := range row.errs {
			if errors.Is(err, target) {
				return row.code
			}
		}
	}
	return exitOther
}

// newExitCodesTopic is `vmctl help exit-codes`.
func newExitCodesTopic() *cobra.Command {
	var b strings.Builder
	fmt.Fprintf(&b, "vmctl ends with one of these codes:\n\n%5d  done\n%5d  any other error\n", exitOK, exitOther)
	rows := slices.Clone(exitTable)
	slices.SortFunc(rows, func(a, b exitRow) int { return a.code - b.code })
	for _, row := range rows {
		fmt.Fprintf(&b, "%5d  %s\n", row.code, row.meaning)
	}
	b.WriteString("\nvmctl exec ends with the code of the command it ran.")
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: b.String()}
}
