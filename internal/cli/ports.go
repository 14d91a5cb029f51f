package cli

import (
	"context"
	"fmt"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
)

func newPorts(t *terminal) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "ports [NAME]",
		Short: "List forwarded ports, and say which work",
		Long: `Lists the ports of this host that lead into machines: by what they go (see the key via
of recipes), why, and, where a process of vmctl's serves them, their connections and
bytes.

--check tries each port of machines that are up, and says which hop does not answer.`,
		Example: "  vmctl ports\n  vmctl ports windows-11 --check",
		Args:    atMostOne("one machine"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPorts(cmd.Context(), t, first(args), check)
		},
		ValidArgsFunction: t.completeMachine,
	}
	cmd.Flags().BoolVar(&check, "check", false, "try each port")
	t.jsonFlag(cmd)
	return cmd
}

// jsonForward is a forward as `ports --json` prints it.
type jsonForward struct {
	Machine string `json:"machine"`
	jsonPort
	State string         `json:"state"`
	Stats *portfwd.Stats `json:"stats,omitempty"`
	Check *jsonCheck     `json:"check,omitempty"`
}

type jsonCheck struct {
	State  string `json:"state"`
	Hop    string `json:"hop,omitempty"`
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

func runPorts(ctx context.Context, t *terminal, name string, check bool) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	list, err := m.Ports(ctx, name, check)
	if err != nil {
		return err
	}
	if t.json {
		out := make([]jsonForward, 0, len(list))
		for _, p := range list {
			out = append(out, toJSONForward(p))
		}
		return t.printJSON(out)
	}
	header := []string{"MACHINE", "PORT", "HOST", "GUEST", "VIA", "STATE", "OPEN", "TOTAL", "IN", "OUT", "WHY"}
	if check {
		header = append(header, "CHECK")
	}
	rows := make([][]string, 0, len(list))
	for _, p := range list {
		rows = append(rows, portsRow(p))
	}
	if err := t.printTable(header, rows); err != nil {
		return err
	}
	for _, p := range list {
		if p.Exposure != "" {
			t.note("%s is %s", p.Host(), p.Exposure)
		}
		if p.Check != nil && p.Check.Hint != "" {
			t.note("%s: %s", p.Host(), p.Check.Hint)
		}
	}
	return nil
}

func portsRow(p machine.PortInfo) []string {
	host := p.Host().String()
	if p.HostPort == 0 {
		host = p.Address.String() + ":any"
	}
	row := []string{p.Machine, dash(p.Name), host, fmt.Sprintf("%d/%s", p.GuestPort, p.Protocol), string(p.Via), string(p.State), "-", "-", "-", "-"}
	if s := p.Stats; s != nil {
		row = append(row[:6], fmt.Sprint(s.Open), fmt.Sprint(s.Total), units.BytesSize(float64(s.In)), units.BytesSize(float64(s.Out)))
	}
	row = append(row, dash(p.Why))
	if c := p.Check; c != nil {
		text := c.State.String()
		if c.Hop != "" {
			text += " at the " + c.Hop + ": " + c.Detail
		}
		row = append(row, text)
	}
	return row
}

func toJSONForward(p machine.PortInfo) jsonForward {
	j := jsonForward{Machine: p.Machine, State: string(p.State), Stats: p.Stats,
		jsonPort: toJSONPort(p.Forward, p.Exposure)}
	if c := p.Check; c != nil {
		j.Check = &jsonCheck{c.State.String(), c.Hop, c.Detail, c.Hint}
	}
	return j
}
