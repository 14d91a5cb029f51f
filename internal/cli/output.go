package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
)

// jsonError is what --json prints of an error.
type jsonError struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
	Code  int    `json:"code"`
	// Tried are the endpoints that were looked at, where no runtime answered.
	Tried []jsonAttempt `json:"tried,omitempty"`
}

// jsonPort is a forward as --json prints it.
type jsonPort struct {
	Name     string `json:"name,omitempty"`
	Address  string `json:"address"`
	Host     int    `json:"host"`
	Guest    int    `json:"guest"`
	Protocol string `json:"protocol"`
	Via      string `json:"via,omitempty"`      // the rung, as far as it is known
	Why      string `json:"why,omitempty"`      // that rung
	Exposure string `json:"exposure,omitempty"` // what it means to other computers
}

func toJSONPort(f portfwd.Forward, exposure string) jsonPort {
	return jsonPort{f.Name, f.Address.String(), f.HostPort, f.GuestPort, string(f.Protocol), string(f.Via), f.Why, exposure}
}

// jsonMachine is a machine as --json prints it. Fields may be added, none changes.
type jsonMachine struct {
	Name        string     `json:"name"`
	UID         string     `json:"uid"`
	Phase       string     `json:"phase"`
	Reason      string     `json:"reason,omitempty"`
	Fix         string     `json:"fix,omitempty"`
	Guest       string     `json:"guest"`
	Summary     string     `json:"summary,omitempty"`
	Image       string     `json:"image"`
	CPUs        string     `json:"cpus,omitempty"`
	Memory      string     `json:"memory,omitempty"`
	Disk        string     `json:"disk,omitempty"`
	Ports       []jsonPort `json:"ports"`
	ViewerURL   string     `json:"viewer_url,omitempty"`
	SandboxID   string     `json:"sandbox_id,omitempty"`
	ContainerID string     `json:"container_id,omitempty"`
	Address     string     `json:"address,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	StartedAt   time.Time  `json:"started_at,omitzero"`
	Installed   bool       `json:"installed"`
	Paused      bool       `json:"paused,omitempty"`
	Ephemeral   bool       `json:"ephemeral,omitempty"`
	Protected   bool       `json:"protected,omitempty"`
	Progress    string     `json:"progress,omitempty"`
	Percent     *float64   `json:"percent,omitempty"`
	Directory   string     `json:"directory,omitempty"`
	Storage     string     `json:"storage,omitempty"`
	Log         string     `json:"log,omitempty"`
	Orphan      bool       `json:"orphan,omitempty"`
}

func toJSON(m machine.Machine) jsonMachine {
	j := jsonMachine{Name: m.Name, UID: m.UID, Phase: string(m.Phase), Reason: m.Reason, Fix: m.Fix, Guest: string(m.Guest),
		Summary: m.Summary, Image: m.Image, CPUs: m.CPUs, Memory: m.Memory, Disk: m.Disk, Ports: []jsonPort{},
		ViewerURL: m.ViewerURL(), SandboxID: m.SandboxID, ContainerID: m.ContainerID, Address: m.Address,
		CreatedAt: m.CreatedAt, StartedAt: m.StartedAt, Installed: m.Installed, Paused: m.Paused, Ephemeral: m.Ephemeral, Protected: m.Protected, Progress: m.Progress,
		Directory: m.Directory, Storage: m.Storage, Log: m.Log, Orphan: m.Orphan()}
	if m.Percent >= 0 {
		j.Percent = &m.Percent
	}
	for _, f := range m.Forwards {
		j.Ports = append(j.Ports, toJSONPort(f, m.Exposure(f)))
	}
	return j
}

func (t *terminal) printJSON(v any) error {
	e := json.NewEncoder(t.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printTable aligns rows below a header. Rows hold text without tabs.
func (t *terminal) printTable(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(t.Out, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// note says something on standard error that is neither result nor error.
func (t *terminal) note(format string, args ...any) {
	fmt.Fprintf(t.Err, "vmctl: "+format+"\n", args...)
}

// portText is a forward in a table's cell: "8006->8006", "7007->7/udp", with the
// address where it is not the loopback.
func portText(f portfwd.Forward) string {
	host := "any"
	if f.HostPort != 0 {
		host = fmt.Sprint(f.HostPort)
	}
	text := fmt.Sprintf("%s->%d", host, f.GuestPort)
	if !f.Address.IsLoopback() {
		text = f.Address.String() + ":" + text
	}
	if f.Protocol == portfwd.UDP {
		text += "/udp"
	}
	return text
}

// age is a time span as people say it: "12s", "5m", "3h", "9d".
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
