package gui

import (
	"fmt"
	"time"

	"github.com/docker/go-units"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
)

// activityText says what is under way with a machine: by the reports of an
// operation of this window, or, where someone else works on it, by its phase.
func activityText(m machine.Machine, op *operation, now time.Time) widgets.ActivityText {
	if op == nil {
		return phaseActivity(m, now)
	}
	p := op.progress
	t := widgets.ActivityText{Text: stageName(p.Stage, op.verb), Aside: clock(now.Sub(op.started)), Percent: -1,
		Beat: int(now.Unix())}
	switch {
	case p.Stage == machine.StageStop && p.Total > 0:
		return countdown(p, now.Sub(op.reported))
	case (p.Stage == machine.StagePull || p.Stage == machine.StageCopy) && p.Total > 0:
		t.Percent = 100 * float64(p.Done) / float64(p.Total)
		t.Aside = units.BytesSize(float64(p.Done)) + " of " + units.BytesSize(float64(p.Total))
	case p.Stage == machine.StageInstall || p.Stage == machine.StagePull:
		t.Percent = p.Percent
	}
	if p.Text != "" {
		t.Text = p.Text
	}
	return t
}

// phaseActivity is for a machine on which nothing is under way in this window: the
// command line may be at work, or this window was opened later.
func phaseActivity(m machine.Machine, now time.Time) widgets.ActivityText {
	t := widgets.ActivityText{Percent: -1, Beat: int(now.Unix())}
	switch m.Phase {
	case machine.Creating:
		t.Text = "Being made"
	case machine.Starting:
		t.Text, t.Percent = "Starting", m.Percent
	case machine.Installing:
		t.Text, t.Percent = "Installing", m.Percent
	case machine.Stopping:
		t.Text = "Shutting down"
	default:
		return widgets.ActivityText{}
	}
	if m.Progress != "" {
		t.Text = m.Progress
	}
	if m.Phase != machine.Stopping && !m.StartedAt.IsZero() {
		t.Aside = clock(now.Sub(m.StartedAt))
	}
	return t
}

// countdown shows how long the guest may still take to shut down. since is the age
// of the report: reports may be rare, but seconds are not.
func countdown(p machine.Progress, since time.Duration) widgets.ActivityText {
	total := time.Duration(p.Total) * time.Second
	gone := min(total, time.Duration(p.Done)*time.Second+max(0, since))
	return widgets.ActivityText{
		Text:    "Shutting down",
		Aside:   clock(total-gone) + " left before it is switched off",
		Percent: 100 * float64(gone) / float64(total),
	}
}

func stageName(s machine.Stage, v verb) string {
	switch s {
	case machine.StageCheck:
		return "Checking this computer and the runtime"
	case machine.StagePull:
		return "Downloading the image"
	case machine.StageCreate:
		return "Making the machine"
	case machine.StageStart:
		return "Starting"
	case machine.StageInstall:
		return "Installing"
	case machine.StageReady:
		return "Waiting for the guest to be ready"
	case machine.StageStop:
		return "Shutting down"
	case machine.StageRemove:
		return "Removing"
	case machine.StageCopy:
		return "Copying"
	case machine.StageOwn:
		return "Taking over the files of the container"
	}
	switch v {
	case verbStop, verbRestart:
		return "Shutting down"
	case verbPlug:
		return "Pulling the plug"
	case verbDelete:
		return "Deleting"
	case verbUp, verbStart:
		return "Starting"
	}
	return "Working"
}

// clock writes a duration as minutes and seconds.
func clock(d time.Duration) string {
	s := int(max(0, d).Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
