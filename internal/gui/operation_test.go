package gui

import (
	"testing"
	"time"

	"vmctl/internal/gui/widgets"
	"vmctl/internal/machine"
)

func TestOffer(t *testing.T) {
	orphan := func(p machine.Phase) machine.Machine {
		m := aMachine("win", p)
		m.Directory = ""
		return m
	}
	starting := &operation{verb: verbStart}
	stopping := &operation{verb: verbStop}
	tests := []struct {
		name  string
		m     machine.Machine
		op    *operation
		stale bool
		want  offer
	}{
		{"creating", aMachine("win", machine.Creating), nil, false, offer{}},
		{"stopped", aMachine("win", machine.Stopped), nil, false, offer{start: true, delete: true}},
		{"failed", aMachine("win", machine.Failed), nil, false, offer{start: true, delete: true}},
		{"starting", aMachine("win", machine.Starting), nil, false, offer{stop: true, view: true}},
		{"installing", aMachine("win", machine.Installing), nil, false, offer{stop: true, view: true}},
		{"running", aMachine("win", machine.Running), nil, false, offer{stop: true, view: true, restart: true}},
		{"stopping", aMachine("win", machine.Stopping), nil, false, offer{view: true}},
		{"orphan running", orphan(machine.Running), nil, false, offer{stop: true, view: true}},
		{"orphan stopped", orphan(machine.Stopped), nil, false, offer{delete: true}},
		{"runtime gone, stopped", aMachine("win", machine.Stopped), nil, true, offer{}},
		{"runtime gone, running", aMachine("win", machine.Running), nil, true, offer{view: true}},
		{"being started", aMachine("win", machine.Stopped), starting, false, offer{cancel: true}},
		{"started, not ready", aMachine("win", machine.Installing), starting, false, offer{stop: true, view: true}},
		{"started, runtime gone", aMachine("win", machine.Installing), starting, true, offer{view: true}},
		{"being stopped", aMachine("win", machine.Running), stopping, false, offer{view: true}},
	}
	for _, tt := range tests {
		got := offerFor(tt.m, tt.op, tt.stale)
		got.plug, got.pause, got.resume, got.keys, got.copy, got.change = false, false, false, false, false, false // TestOfferOfTheMenu
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestActivity(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	began := now.Add(-75 * time.Second)
	op := func(v verb, p machine.Progress) *operation {
		return &operation{verb: v, started: began, reported: now, progress: p}
	}
	up := aMachine("win", machine.Installing)
	up.StartedAt = now.Add(-2 * time.Hour)
	tests := []struct {
		name string
		m    machine.Machine
		op   *operation
		want widgets.ActivityText
	}{
		{"at rest", aMachine("win", machine.Running), nil, widgets.ActivityText{}},
		{"installing, by the command line", up, nil, widgets.ActivityText{Text: "Installing", Aside: "2:00:00", Percent: -1}},
		{"stopping, by the command line", aMachine("win", machine.Stopping), nil, widgets.ActivityText{Text: "Shutting down", Percent: -1}},
		{"start, no report yet", up, op(verbStart, machine.Progress{}), widgets.ActivityText{Text: "Starting", Aside: "1:15", Percent: -1}},
		{"delete, no report yet", up, op(verbDelete, machine.Progress{}), widgets.ActivityText{Text: "Deleting", Aside: "1:15", Percent: -1}},
		{"pull", up, op(verbUp, machine.Progress{Stage: machine.StagePull, Done: 1 << 20, Total: 4 << 20}),
			widgets.ActivityText{Text: "Downloading the image", Aside: "1MiB of 4MiB", Percent: 25}},
		{"pull of unknown size", up, op(verbUp, machine.Progress{Stage: machine.StagePull, Percent: -1}),
			widgets.ActivityText{Text: "Downloading the image", Aside: "1:15", Percent: -1}},
		{"install", up, op(verbUp, machine.Progress{Stage: machine.StageInstall, Text: "Copying", Percent: 12.5}),
			widgets.ActivityText{Text: "Copying", Aside: "1:15", Percent: 12.5}},
		{"stop", up, op(verbStop, machine.Progress{Stage: machine.StageStop, Done: 60, Total: 120}),
			widgets.ActivityText{Text: "Shutting down", Aside: "1:00 left before it is switched off", Percent: 50}},
		{"stop, beyond its grace", up, op(verbStop, machine.Progress{Stage: machine.StageStop, Done: 130, Total: 120}),
			widgets.ActivityText{Text: "Shutting down", Aside: "0:00 left before it is switched off", Percent: 100}},
	}
	for _, tt := range tests {
		got := activityText(tt.m, tt.op, now)
		got.Beat = 0
		if got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestEveryStageHasAName(t *testing.T) {
	seen := map[string]machine.Stage{}
	for _, s := range []machine.Stage{machine.StageCheck, machine.StagePull, machine.StageCreate, machine.StageStart,
		machine.StageInstall, machine.StageReady, machine.StageStop, machine.StageRemove} {
		name := stageName(s, verbUp)
		if other, taken := seen[name]; taken {
			t.Errorf("%s and %s are both called %q", s, other, name)
		}
		seen[name] = s
	}
}

func TestNotesAreKept(t *testing.T) {
	var op operation
	now := time.Unix(1, 0)
	op.take([]machine.Progress{
		{Stage: machine.StageNote, Text: "port 8007 instead of 8006"},
		{Stage: machine.StagePull, Done: 1},
		{Stage: machine.StagePull, Done: 2},
		{Stage: machine.StageNote, Text: "image is old"},
	}, now)
	if len(op.notes) != 2 || op.progress.Done != 2 || !op.reported.Equal(now) {
		t.Errorf("got %+v", op)
	}
}

func TestChooseAfterDeletion(t *testing.T) {
	s := newState()
	a, b, c := aMachine("a", machine.Stopped), aMachine("b", machine.Stopped), aMachine("c", machine.Stopped)
	before := []string{"a", "b", "c"}
	tests := []struct {
		selected string
		left     []machine.Machine
		want     string
	}{
		{"b", []machine.Machine{a, b, c}, "b"},
		{"b", []machine.Machine{a, c}, "c"},
		{"c", []machine.Machine{a, b}, "b"},
		{"", []machine.Machine{a}, "a"},
		{"a", nil, ""},
	}
	for _, tt := range tests {
		s.selected, s.machines = tt.selected, tt.left
		if s.choose(before); s.selected != tt.want {
			t.Errorf("after %s: selected %q, want %q", tt.selected, s.selected, tt.want)
		}
	}
}
