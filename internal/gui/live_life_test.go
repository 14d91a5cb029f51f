package gui

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

// A machine is lived with through the real engine, and nothing but its files is asked.
func TestLiveLife(t *testing.T) {
	l, _ := newLive(t)
	ctx := t.Context()
	r, err := l.recipe(Plan{Recipe: "demo", Name: "one", CPUs: "2", Memory: "512M", Disk: "1G"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Offline().Create(ctx, "one", r); err != nil {
		t.Fatal(err)
	}
	var notes []string
	report := func(p machine.Progress) {
		if p.Stage == machine.StageNote {
			notes = append(notes, p.Text)
		}
	}
	file := filepath.Join(t.TempDir(), "one.vm")
	steps := []struct {
		name string
		do   func() error
		want error
	}{
		{"set", func() error { return l.Set(ctx, "one", map[Field]string{FieldMemory: "1G", FieldCPUs: "1"}, report) }, nil},
		{"clone", func() error { return l.Clone(ctx, "one", "two", report) }, nil},
		{"clone onto one", func() error { return l.Clone(ctx, "one", "two", report) }, machine.ErrExists},
		{"rename", func() error { return l.Rename(ctx, "two", "three", report) }, nil},
		{"snapshot", func() error { return l.Snapshot(ctx, "one", "first", report) }, nil},
		{"change after it", func() error { return l.Set(ctx, "one", map[Field]string{FieldMemory: "2G"}, report) }, nil},
		{"restore", func() error { return l.RestoreSnapshot(ctx, "one", "first", report) }, nil},
		{"delete snapshot", func() error { return l.DeleteSnapshot(ctx, "one", "first", report) }, nil},
		{"restore what is gone", func() error { return l.RestoreSnapshot(ctx, "one", "first", report) }, machine.ErrNoSnapshot},
		{"pack", func() error { return l.Pack(ctx, "one", file, report) }, nil},
		{"pack over a file", func() error { return l.Pack(ctx, "one", file, report) }, fs.ErrExist},
		{"unpack", func() error { return l.Unpack(ctx, file, "four", report) }, nil},
		{"protect", func() error { return l.Protect(ctx, "one", true, report) }, nil},
		{"delete what is protected", func() error { return l.Delete(ctx, "one", machine.DeleteOptions{}, report) }, machine.ErrGuard},
		{"pause what is down", func() error { return l.Pause(ctx, "one", report) }, machine.ErrPhase},
		{"resume what is down", func() error { return l.Resume(ctx, "one", report) }, machine.ErrPhase},
		{"keys to what is down", func() error { return l.SendCtrlAltDel(ctx, "one", report) }, machine.ErrPhase},
		{"pull the plug of what is down", func() error { return l.PullPlug(ctx, "one", report) }, nil},
	}
	for _, s := range steps {
		if err := s.do(); !errors.Is(err, s.want) {
			t.Fatalf("%s: got %v, want %v", s.name, err, s.want)
		}
	}
	list, err := l.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, m.Name+" "+m.Memory)
	}
	if text := strings.Join(got, ", "); text != "four 1G, one 1G, three 1G" {
		t.Errorf("machines: %s", text)
	}
	kept, err := l.Snapshots(ctx, "one")
	if err != nil || len(kept) != 1 || !strings.Contains(strings.Join(notes, "\n"), kept[0].Tag) {
		t.Errorf("snapshots: %+v, %v; notes: %q", kept, err, notes)
	}
	if err := l.CheckSetting("one", FieldMemory, "much"); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("wrong memory: %v", err)
	}
	if err := l.CheckSetting("nobody", FieldMemory, "1G"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("unknown machine: %v", err)
	}
	ports, err := l.Ports(ctx, "one", false)
	if err != nil {
		t.Errorf("ports: %v", err)
	}
	for _, p := range ports {
		if p.State != machine.PortDown {
			t.Errorf("port of a machine that is down: %+v", p)
		}
	}
}
