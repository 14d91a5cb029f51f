package gui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/go-units"

	"vmctl/internal/cri"
	"vmctl/internal/gui/widgets"
	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

func guestName(g recipe.Guest) string {
	switch g {
	case recipe.Windows:
		return "Windows"
	case recipe.MacOS:
		return "macOS"
	case recipe.Linux:
		return "Linux"
	case recipe.Demo:
		return "Demo"
	}
	return string(g)
}

// stateText is the phase as a word, or what is more than the phase.
func stateText(m machine.Machine) string {
	if m.Paused && m.Phase == machine.Running {
		return "Paused"
	}
	return string(m.Phase)
}

func toneOf(m machine.Machine) widgets.Tone {
	switch m.Phase {
	case machine.Running:
		if m.Paused {
			return widgets.Busy
		}
		return widgets.Good
	case machine.Failed:
		return widgets.Bad
	case machine.Stopped:
		return widgets.Quiet
	}
	return widgets.Busy
}

// rowText is a machine in the list.
func rowText(m machine.Machine, a widgets.ActivityText, stale bool) widgets.RowText {
	parts := []string{stateText(m)}
	if a.Percent > 0 && m.Phase != machine.Stopping {
		parts[0] += fmt.Sprintf(" %.0f %%", a.Percent)
	}
	if g := guestName(m.Guest); g != "" {
		parts = append([]string{g}, parts...)
	}
	if m.Protected {
		parts = append(parts, "protected")
	}
	return widgets.RowText{Title: m.Name, Detail: strings.Join(parts, " · "), Tone: toneOf(m), Stale: stale}
}

// titleText is the head of the details.
func titleText(m machine.Machine, stale bool) widgets.RowText {
	detail := stateText(m)
	if m.Protected {
		detail += " · protected"
	}
	if m.Summary != "" {
		detail += " · " + m.Summary
	}
	return widgets.RowText{Title: m.Name, Detail: detail, Tone: toneOf(m), Stale: stale}
}

// failureText says why a machine failed; empty for one that did not.
func failureText(m machine.Machine) widgets.NoticeText {
	if m.Phase != machine.Failed {
		return widgets.NoticeText{}
	}
	reason := m.Reason
	if reason == "" {
		reason = "It is not known why; its log may tell."
	}
	return widgets.NoticeText{Title: "The machine ended by itself", Reason: reason, Fix: m.Fix}
}

// noteText is what is worth knowing about a machine that did not fail.
func noteText(m machine.Machine, notes []string) widgets.NoticeText {
	var t widgets.NoticeText
	if m.Phase != machine.Failed && m.Reason != "" {
		t.Reason, t.Fix = m.Reason, m.Fix
	}
	t.Reason = strings.Join(append(nonEmpty(t.Reason), notes...), "\n")
	return t
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// goneText is the banner for a list that could not be had.
func goneText(err error) widgets.NoticeText {
	if err == nil {
		return widgets.NoticeText{}
	}
	title := "The machines cannot be listed"
	switch {
	case errors.Is(err, cri.ErrNoRuntime):
		title = "There is no container runtime"
	case errors.Is(err, cri.ErrUnavailable), errors.Is(err, cri.ErrTimeout), timedOut(err):
		title = "The container runtime does not answer"
	case errors.Is(err, cri.ErrPermission):
		title = "The container runtime may not be used by this user"
	case errors.Is(err, cri.ErrCRIDisabled):
		title = "The container runtime answers, but not through CRI"
	}
	fix := hint.Of(err)
	if fix == "" {
		fix = "The window goes on looking. Machines that run are not touched by this."
	}
	return widgets.NoticeText{Title: title, Reason: err.Error(), Fix: fix}
}

// portFacts are the forwarded ports. Those of a machine that is down are only what
// it will have.
func portFacts(m machine.Machine) []widgets.Fact {
	facts := make([]widgets.Fact, 0, len(m.Forwards))
	viewer := m.ViewerURL()
	for _, f := range m.Forwards {
		label := f.Name
		if label == "" {
			label = fmt.Sprint(f.GuestPort)
		}
		guest := fmt.Sprintf("→ %d/%s in the guest", f.GuestPort, f.Protocol)
		fact := widgets.Fact{Label: label, Text: f.Host().String() + "  " + guest}
		if viewer != "" && m.Phase.Up() && f.Protocol == portfwd.TCP && strings.Contains(viewer, f.Host().String()) {
			fact = widgets.Fact{Label: label, Text: viewer, URL: viewer, Aside: guest}
		}
		facts = append(facts, fact)
	}
	return facts
}

// machineFacts is what else there is to know; uses is what it uses now.
func machineFacts(m machine.Machine, uses string, now time.Time) []widgets.Fact {
	var facts []widgets.Fact
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, widgets.Fact{Label: label, Text: text})
		}
	}
	add("Resources", resources(m))
	if m.Phase.Up() {
		add("Uses", uses)
	}
	add("Guest", guestName(m.Guest))
	add("Image", m.Image)
	add("Storage", m.Storage)
	if m.Phase.Up() && !m.StartedAt.IsZero() {
		add("Up for", strings.ToLower(units.HumanDuration(now.Sub(m.StartedAt))))
	}
	if !m.CreatedAt.IsZero() {
		add("Created", m.CreatedAt.Local().Format("2006-01-02 15:04"))
	}
	return facts
}

func resources(m machine.Machine) string {
	var parts []string
	for _, r := range []struct{ value, format string }{
		{m.CPUs, "%s CPUs"}, {m.Memory, "%s memory"}, {m.Disk, "%s disk"},
	} {
		switch {
		case r.value == "1":
			parts = append(parts, "1 CPU")
		case r.value != "":
			parts = append(parts, fmt.Sprintf(r.format, r.value))
		}
	}
	return strings.Join(parts, " · ")
}

// systemFacts is what to know of a system before it is installed, in short sentences.
func systemFacts(v recipe.Version, now time.Time) string {
	var facts []string
	if v.Download != "" {
		facts = append(facts, "Downloads "+v.Download+".")
	}
	if !v.Memory.IsZero() && !v.Disk.IsZero() {
		facts = append(facts, "Needs at least "+v.Memory.String()+" of memory and "+v.Disk.String()+" of disk.")
	}
	switch {
	case v.Support == "":
	case v.Supported(now):
		facts = append(facts, "Security updates until "+v.Support+".")
	default:
		facts = append(facts, "No security updates since "+v.Support+".")
	}
	return strings.Join(facts, " ")
}
