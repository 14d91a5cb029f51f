package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/containerd"
	"vmctl/internal/cri"
)

// jsonRuntime is the runtime as --json prints it.
type jsonRuntime struct {
	Endpoint     string        `json:"endpoint"`
	Source       string        `json:"source"`
	Why          string        `json:"why"`
	Name         string        `json:"name"`
	Version      string        `json:"version"`
	APIVersion   string        `json:"api_version"`
	RuntimeReady bool          `json:"runtime_ready"`
	NetworkReady bool          `json:"network_ready"`
	Message      string        `json:"message,omitempty"`
	Private      *jsonPrivate  `json:"private,omitempty"`
	Tried        []jsonAttempt `json:"tried"`
}

// jsonPrivate is the private runtime, where it is the one in use.
type jsonPrivate struct {
	Name   string `json:"name"`
	PID    int    `json:"pid"`
	Root   string `json:"root"`
	State  string `json:"state"`
	Log    string `json:"log"`
	Bridge string `json:"bridge"`
	Subnet string `json:"subnet"`
}

type jsonAttempt struct {
	Endpoint string `json:"endpoint"`
	Source   string `json:"source"`
	Error    string `json:"error,omitempty"`
}

func newRuntimeStatus(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say which runtime is used, why, and whether it is in order",
		Long: `Prints the endpoint in use, who chose it, the runtime's version, and whether it and its
network are ready. Where none answers it lists what was tried (exit code 5).`,
		Example: "  vmctl runtime status\n  vmctl runtime status --json | jq -r .endpoint",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runRuntimeStatus(cmd.Context(), t)
		},
	}
	t.jsonFlag(cmd)
	return cmd
}

func runRuntimeStatus(ctx context.Context, t *terminal) error {
	a, err := t.app()
	if err != nil {
		return err
	}
	client, found, err := a.Runtime(ctx)
	if err != nil {
		return t.noRuntime(found, err)
	}
	j := jsonRuntime{Endpoint: found.Endpoint, Source: found.Source, Why: found.Why, Tried: attempts(found)}
	if err := askRuntime(ctx, client, &j); err != nil {
		return err
	}
	if instance, err := a.Instance(containerd.Options{}); err == nil && "unix://"+instance.Socket() == found.Endpoint {
		if s, err := instance.Status(ctx); err == nil && s.Running {
			j.Private = &jsonPrivate{instance.Name(), s.PID, s.Root, s.State, s.Log, s.Bridge, s.Subnet}
		}
	}
	if t.json {
		return t.printJSON(j)
	}
	return t.printRuntime(j)
}

func attempts(found cri.Found) []jsonAttempt {
	list := []jsonAttempt{}
	for _, attempt := range found.Tried {
		text := ""
		if attempt.Err != nil {
			text = attempt.Err.Error()
		}
		list = append(list, jsonAttempt{attempt.Endpoint, attempt.Source, text})
	}
	return list
}

// triedError is an error of finding a runtime, with what was tried.
type triedError struct {
	error
	tried []jsonAttempt
}

func (e triedError) Unwrap() error { return e.error }

func triedBefore(err error) []jsonAttempt {
	var e triedError
	if errors.As(err, &e) {
		return e.tried
	}
	return nil
}

// noRuntime lists what was tried in vain, and returns the error for it.
func (t *terminal) noRuntime(found cri.Found, err error) error {
	tried := attempts(found)
	if !t.json && len(tried) > 0 {
		var rows [][]string
		for _, a := range tried {
			rows = append(rows, []string{a.Endpoint, a.Source, firstLine(a.Error)})
		}
		if err := t.printTable([]string{"TRIED", "NAMED BY", "ANSWER"}, rows); err != nil {
			return err
		}
	}
	return triedError{err, tried}
}

func askRuntime(ctx context.Context, client *cri.Client, j *jsonRuntime) error {
	version, err := client.Version(ctx)
	if err != nil {
		return err
	}
	status, err := client.Status(ctx)
	if err != nil {
		return err
	}
	j.Name, j.Version, j.APIVersion = version.RuntimeName, version.RuntimeVersion, version.APIVersion
	j.RuntimeReady, j.NetworkReady = status.RuntimeReady.OK, status.NetworkReady.OK
	for _, c := range []cri.Condition{status.RuntimeReady, status.NetworkReady} {
		if !c.OK {
			j.Message += c.Reason + ": " + c.Message
		}
	}
	return nil
}

func (t *terminal) printRuntime(j jsonRuntime) error {
	rows := [][]string{
		{"endpoint", j.Endpoint},
		{"chosen by", j.Why},
		{"runtime", j.Name + " " + j.Version + " (CRI " + j.APIVersion + ")"},
		{"ready", yesNo(j.RuntimeReady)},
		{"network", yesNo(j.NetworkReady)},
	}
	if j.Message != "" {
		rows = append(rows, []string{"message", j.Message})
	}
	if p := j.Private; p != nil {
		rows = append(rows, []string{"private", fmt.Sprintf("%s, pid %d", p.Name, p.PID)},
			[]string{"pod network", p.Bridge + " " + p.Subnet}, []string{"root", p.Root}, []string{"log", p.Log})
	}
	for _, attempt := range j.Tried {
		if attempt.Error != "" {
			rows = append(rows, []string{"not used", attempt.Endpoint + ": " + attempt.Error})
		}
	}
	return t.printTable(rows[0], rows[1:])
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
