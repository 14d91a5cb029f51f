package gui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"vmctl/internal/hint"
	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
	"vmctl/internal/storage"
)

// more chooses an item of the menu.
func (h *harness) more(label string) {
	h.Helper()
	h.press("More")
	item, ok := lookFor(h, func(t *canvas.Text) bool { return t.Text == label })
	if !ok {
		h.Fatalf("the menu has no item %q", label)
	}
	h.tap(item)
}

func TestMenuAsksTheEngine(t *testing.T) {
	paused := aMachine("win", machine.Running)
	paused.Paused = true
	protected := aMachine("win", machine.Stopped)
	protected.Protected = true
	tests := []struct {
		m           machine.Machine
		item, press string // press is a button of the dialog that follows
		call        string
	}{
		{aMachine("win", machine.Running), "Pause", "", "pause win"},
		{paused, "Resume", "", "resume win"},
		{aMachine("win", machine.Running), "Pull the plug…", "Pull the plug", "plug win"},
		{aMachine("win", machine.Running), "Send Ctrl-Alt-Del", "", "keys win"},
		{aMachine("win", machine.Stopping), "Pull the plug…", "Pull the plug", "plug win"},
		{aMachine("win", machine.Stopped), "Protect", "", "protect win true"},
		{protected, "Unprotect", "", "protect win false"},
		{aMachine("win", machine.Stopped), "Clone…", "Clone", "clone win win-copy"},
		{aMachine("win", machine.Stopped), "Rename…", "Rename", "rename win win-new"},
		{aMachine("win", machine.Stopped), "Snapshots…", "Take a snapshot", `snapshot win ""`},
	}
	for _, tt := range tests {
		t.Run(tt.item+" "+string(tt.m.Phase), func(t *testing.T) {
			e := &fakeEngine{}
			e.set(tt.m)
			h := newHarness(t, e)
			h.untilText("Windows for win")
			h.more(tt.item)
			if tt.press != "" {
				h.untilText("[" + tt.press + "]")
				if len(e.made()) > 0 {
					t.Errorf("done before it was confirmed: %q", e.made())
				}
				h.press(tt.press)
			}
			h.untilCall(tt.call)
			h.untilNoText("--- dialog")
		})
	}
}

func TestPlugIsNotPulledUnconfirmed(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.more("Pull the plug…")
	h.untilText("What its programs have not saved is lost")
	h.press("Cancel")
	h.looks(2)
	if got := e.made(); len(got) > 0 {
		t.Errorf("calls: %q", got)
	}
}

func TestOfferOfTheMenu(t *testing.T) {
	paused, orphan, protected := aMachine("a", machine.Running), aMachine("a", machine.Running), aMachine("a", machine.Stopped)
	paused.Paused, orphan.Directory, protected.Protected = true, "", true
	stop, snapshot := &operation{verb: verbStop}, &operation{verb: verbSnapshot}
	tests := []struct {
		name  string
		m     machine.Machine
		op    *operation
		stale bool
		want  offer
	}{
		{"running", aMachine("a", machine.Running), nil, false, offer{view: true, stop: true, restart: true, plug: true, pause: true, keys: true, change: true}},
		{"paused", paused, nil, false, offer{view: true, stop: true, restart: true, plug: true, resume: true, keys: true, change: true}},
		{"orphan", orphan, nil, false, offer{view: true, stop: true, plug: true}},
		{"protected", protected, nil, false, offer{start: true, copy: true, change: true}},
		{"failed", aMachine("a", machine.Failed), nil, false, offer{start: true, delete: true, change: true}},
		{"stopped elsewhere", aMachine("a", machine.Stopping), nil, false, offer{view: true, plug: true, change: true}},
		{"stopping", aMachine("a", machine.Stopping), stop, false, offer{view: true, plug: true}},
		{"copied", aMachine("a", machine.Stopped), snapshot, false, offer{cancel: true}},
		{"stale", aMachine("a", machine.Running), nil, true, offer{view: true}},
	}
	for _, tt := range tests {
		if got := offerFor(tt.m, tt.op, tt.stale); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestBadges(t *testing.T) {
	m, down := aMachine("win", machine.Running), aMachine("win", machine.Stopped)
	m.Paused, m.Protected, down.Protected = true, true, true
	e := &fakeEngine{}
	e.set(m)
	h := newHarness(t, e)
	h.untilText("Paused · protected · Windows for win")
	if got, want := h.row("win").Detail, "Windows · Paused · protected"; got != want {
		t.Errorf("row: got %q, want %q", got, want)
	}
	e.set(down)
	h.untilText("Stopped · protected")
	if !h.button("Delete…").Disabled() {
		t.Error("a protected machine may be deleted")
	}
}

func TestCloneShowsItsProgressAndIsCalledOff(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	e.doing = func(ctx context.Context, _ string, report machine.Reporter) error {
		report(machine.Progress{Stage: machine.StageCopy, Text: "copying data.img", Done: 1 << 20, Total: 4 << 20, Percent: -1})
		<-ctx.Done()
		return ctx.Err()
	}
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.more("Clone…")
	h.fill("Name", "win")
	if !h.button("Clone").Disabled() {
		t.Error("a name in use is taken")
	}
	h.fill("Name", "other")
	h.press("Clone")
	h.untilText("1MiB of 4MiB")
	if got := h.row("other").Detail; !strings.Contains(got, "Creating") {
		t.Errorf("row of the copy: %q", got)
	}
	h.press("Cancel")
	h.until("the copy to vanish", func() bool { return h.row("other").Title == "" })
	h.untilNoText("Could not")
}

func TestRenameKeepsTheSelection(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("alpha", machine.Stopped), aMachine("win", machine.Stopped))
	e.doing = func(context.Context, string, machine.Reporter) error {
		e.set(aMachine("alpha", machine.Stopped), aMachine("zeta", machine.Stopped))
		return nil
	}
	h := newHarness(t, e)
	h.untilText("Windows for alpha")
	h.choose("win")
	h.more("Rename…")
	h.fill("Name", "zeta")
	h.press("Rename")
	h.untilText("Windows for zeta")
}

func TestSnapshotsDialog(t *testing.T) {
	kept := []storage.Snapshot{{Tag: "first", CreatedAt: time.Unix(1_700_000_000, 0), Size: 3 << 30, Shared: true, Note: "before the update"}}
	tests := []struct {
		name    string
		buttons []string
		call    string
	}{
		{"restore", []string{"Restore…", "Restore"}, "restore win first"},
		{"delete", []string{"", "Delete the snapshot"}, "forget win first"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &fakeEngine{kept: kept}
			e.set(aMachine("win", machine.Stopped))
			h := newHarness(t, e)
			h.untilText("Windows for win")
			h.more("Snapshots…")
			h.untilText("3GiB, shared · before the update")
			for _, b := range tt.buttons {
				h.press(b)
			}
			h.untilCall(tt.call)
		})
	}
	e := &fakeEngine{kept: kept}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.more("Snapshots…")
	h.untilText("while the machine is stopped")
	for _, b := range []string{"Take a snapshot", "Restore…"} {
		if !h.button(b).Disabled() {
			t.Errorf("%s is enabled while the machine runs", b)
		}
	}
}

func TestSettings(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.more("Settings…")
	h.untilText("at its next start")
	if !h.button("Save").Disabled() {
		t.Error("nothing is changed, and may be saved")
	}
	h.fill("CPUs", "0")
	h.untilText("must be at least 1")
	h.fill("CPUs", "6")
	h.fill("Disk", "128G")
	h.press("Save")
	h.untilCall("set win resources.cpus=6 resources.disk=128G")
	h.untilText("Restart win now?")
	h.press("Restart now")
	h.untilCall("restart win")
}

func TestPortsDialog(t *testing.T) {
	m := aMachine("win", machine.Running)
	added := portfwd.Forward{Address: m.Forwards[0].Address, HostPort: 2222, GuestPort: 22, Protocol: portfwd.TCP, Via: portfwd.Relay}
	e := &fakeEngine{ports: []machine.PortInfo{
		{Machine: "win", Forward: m.Forwards[0], State: machine.PortLive, Check: &portfwd.Result{State: portfwd.Broken, Hop: "host", Detail: "refused", Hint: "mend it"}},
		{Machine: "win", Forward: added, State: machine.PortLive, Stats: &portfwd.Stats{Open: 2}},
	}}
	e.set(m)
	e.doing = func(_ context.Context, call string, report machine.Reporter) error {
		if strings.HasPrefix(call, "forward") {
			report(note("others may use it"))
			return hint.With(errors.New("port 80 is taken"), "take another")
		}
		return nil
	}
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.more("Ports…")
	h.untilText("127.0.0.1:2222 → 22/tcp")
	h.untilText("relay · live · 2 open")
	h.untilText("mend it")
	h.press("Check")
	h.untilCall("ports win check=true")
	if !h.button("Add").Disabled() {
		t.Error("nothing may be added")
	}
	h.fill("Forward", "80:80")
	h.press("Add")
	h.untilText("port 80 is taken")
	h.untilText("take another")
	h.untilText("others may use it")
	h.press("")
	h.untilCall("unforward win 127.0.0.1:2222")
}

func TestPackAndUnpack(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	folder := t.TempDir()
	taken := filepath.Join(folder, "win.vm")
	if err := os.WriteFile(taken, []byte("a disk"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := freeFile(folder, "win")
	if want := filepath.Join(folder, "win-2.vm"); path != want {
		t.Errorf("file: got %q, want %q", path, want)
	}
	h.w.pack("win", path)
	h.untilCall("pack win " + path)
	h.untilText("the machine is packed in " + path)
	h.w.askUnpackAs(taken)
	h.untilText("> win-2")
	h.press("Unpack")
	h.untilCall("unpack " + taken + " win-2")
}

func TestEscapeClosesTheTopmostDialog(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Stopped))
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.w.askPlug("win")
	h.w.askForget("win", storage.Snapshot{Tag: "one"})
	h.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
	h.untilNoText("the snapshot one")
	h.untilText("Pull the plug of win?")
	h.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape})
	h.untilNoText("--- dialog")
	h.w.typed(&fyne.KeyEvent{Name: fyne.KeyEscape}) // there is nothing to close
	if got := e.made(); !slices.Equal(got, nil) {
		t.Errorf("calls: %q", got)
	}
}

// The stop that goes on is given up, since it holds the machine's lock.
func TestPlugIsPulledWhileTheGuestShutsDown(t *testing.T) {
	e := &fakeEngine{}
	e.set(aMachine("win", machine.Running))
	e.doing = func(ctx context.Context, call string, report machine.Reporter) error {
		if call == "stop win" {
			report(machine.Progress{Stage: machine.StageStop, Done: 5, Total: 135})
			<-ctx.Done()
			return ctx.Err()
		}
		e.set(aMachine("win", machine.Stopped))
		return nil
	}
	h := newHarness(t, e)
	h.untilText("Windows for win")
	h.press("Stop")
	h.untilText("2:10 left before it is switched off")
	h.more("Pull the plug…")
	h.press("Pull the plug")
	h.untilText("[Start]")
	h.untilNoText("--- dialog")
	if got, want := e.made(), []string{"stop win", "plug win"}; !slices.Equal(got, want) {
		t.Errorf("calls: got %q, want %q", got, want)
	}
}
