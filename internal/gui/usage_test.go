package gui

import (
	"testing"

	"vmctl/internal/machine"
)

func TestUsageText(t *testing.T) {
	tests := []struct {
		usage machine.Usage
		known bool
		want  string
	}{
		{machine.Usage{CPU: 12.4, Memory: 1 << 30, DiskUsed: 2 << 30}, true, "12 % of a core · 1GiB memory · 2GiB disk"},
		{machine.Usage{CPU: -1, Memory: 1 << 20, DiskUsed: -1}, true, "1MiB memory"},
		{machine.Usage{CPU: 1}, false, ""},
	}
	for _, tt := range tests {
		if got := usageText(tt.usage, tt.known); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.usage, got, tt.want)
		}
	}
}

func TestFiguresOfARunningMachineAreShown(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("7 % of a core · 2GiB memory")
	e.set(aMachine("win", machine.Stopped))
	h.untilNoText("of a core")
}
