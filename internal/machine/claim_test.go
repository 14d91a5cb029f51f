package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// twoUsers are a rig and another user's machines on another runtime. Both have a machine
// called demo, on one disk.
func twoUsers(t *testing.T) (r *rig, other *Manager, disk string) {
	t.Helper()
	r, disk = newRig(t), t.TempDir()
	other, _ = r.elsewhere(t)
	other.Store = storage.NewStore(t.TempDir())
	for _, m := range []*Manager{r.Manager, other} {
		if _, err := m.Create(t.Context(), "demo", parse(t, rigRecipe+fmt.Sprintf("[storage]\npath = %q\n", disk))); err != nil {
			t.Fatal(err)
		}
	}
	return r, other, disk
}

func claimOn(t *testing.T, folder string) (claim *storage.Claim) {
	t.Helper()
	if err := storage.EditClaim(folder, func(c *storage.Claim) (*storage.Claim, error) { claim = c; return c, nil }); err != nil {
		t.Fatal(err)
	}
	return claim
}

// ended is a process that is gone; child one that lives until it is stopped.
func ended(t *testing.T) string {
	t.Helper()
	p, stop := child(t)
	stop()
	return p
}

func child(t *testing.T) (p string, stop func()) {
	t.Helper()
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p = process{pidNamespace(), cmd.Process.Pid, began(cmd.Process.Pid)}.String()
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(stop)
	return p, stop
}

func TestOneDiskTwoUsersTwoRuntimes(t *testing.T) {
	r, other, disk := twoUsers(t)
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := other.Start(t.Context(), "demo", StartOptions{}, nil)
	if !errors.Is(err, ErrPhase) || !strings.Contains(hint.Of(err), r.rt.Endpoint()) {
		t.Errorf("a second machine on one disk: %v (%s)", err, hint.Of(err))
	}
	if err := other.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Error(err)
	}
	if claimOn(t, disk) == nil {
		t.Error("another user's stop took the claim")
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if c := claimOn(t, disk); c != nil {
		t.Errorf("after the stop: %+v", c)
	}
	if _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); err != nil {
		t.Errorf("after the stop: %v", err)
	}
}

// TestClaimsThatAreLeft: what a crash, a reboot or another host leaves of a claim.
func TestClaimsThatAreLeft(t *testing.T) {
	dead := ended(t)
	lives, _ := child(t)
	for name, tt := range map[string]struct {
		change func(c *storage.Claim, here string)
		held   bool
	}{
		"the vmctl that starts it":              {func(c *storage.Claim, _ string) { c.Starter = lives }, true},
		"a container that runs":                 {func(c *storage.Claim, _ string) { c.Container = lives }, true},
		"a container that ended":                {func(c *storage.Claim, _ string) { c.Container = dead }, false},
		"a container of the last boot":          {func(c *storage.Claim, _ string) { c.Container, c.BootID = lives, "other" }, false},
		"a container of another host":           {func(c *storage.Claim, _ string) { c.Container, c.Host = dead, "other" }, true},
		"a starter killed, runtime has nothing": {func(c *storage.Claim, here string) { c.Endpoint = here }, false},
		"a starter killed, no runtime to ask":   {func(c *storage.Claim, _ string) { c.Endpoint = "unix:///nowhere.sock" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, disk := twoUsers(t)
			left := r.newClaim(&handle{name: "demo", dir: &storage.Dir{}, rec: record{UID: "other"}})
			left.Starter = dead
			tt.change(left, r.rt.Endpoint())
			if err := storage.EditClaim(disk, func(*storage.Claim) (*storage.Claim, error) { return left, nil }); err != nil {
				t.Fatal(err)
			}
			_, err := r.Start(t.Context(), "demo", StartOptions{}, nil)
			if held := errors.Is(err, ErrPhase); held != tt.held || !held && err != nil {
				t.Errorf("held %v: %v", held, err)
			}
			if tt.held && (hint.Of(err) == "" || *claimOn(t, disk) != *left) {
				t.Errorf("hint %q, claim %+v", hint.Of(err), claimOn(t, disk))
			}
		})
	}
}

// TestKilledStarterIsAskedFor: the start went on to the end, and nobody noted its container.
func TestKilledStarterIsAskedFor(t *testing.T) {
	r, other, disk := twoUsers(t)
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	left := *claimOn(t, disk)
	left.Starter, left.Container = ended(t), ""
	if err := storage.EditClaim(disk, func(*storage.Claim) (*storage.Claim, error) { return &left, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("error %v", err)
	}
}

// TestRuntimeThatLostItsState: the guest goes on, and neither start nor stop nor snapshot
// takes the runtime's word that there is none.
func TestRuntimeThatLostItsState(t *testing.T) {
	r := newRig(t)
	if _, err := r.Create(t.Context(), "demo", r.recipe(t, "")); err != nil {
		t.Fatal(err)
	}
	h, err := r.open("demo")
	if err != nil {
		t.Fatal(err)
	}
	claim := r.newClaim(h)
	lives, end := child(t)
	claim.Container = lives
	if err := storage.EditClaim(h.storagePath(), func(*storage.Claim) (*storage.Claim, error) { return claim, nil }); err != nil {
		t.Fatal(err)
	}
	verbs := map[string]func() error{
		"start":    func() error { _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); return err },
		"stop":     func() error { return r.Stop(t.Context(), "demo", StopOptions{}, nil) },
		"snapshot": func() error { _, err := r.Snapshot(t.Context(), "demo", "a", nil); return err },
		"delete":   func() error { return r.Delete(t.Context(), "demo", DeleteOptions{Storage: true}, nil) },
	}
	for verb, do := range verbs {
		if err := do(); !errors.Is(err, ErrPhase) || !strings.Contains(hint.Of(err), "kill -TERM") {
			t.Errorf("%s: %v (%s)", verb, err, hint.Of(err))
		}
	}
	end()
	if err := verbs["stop"](); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(h.storagePath(), storage.ClaimFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after its end: %v", err)
	}
}

func TestRefusedStartGivesItsDiskBack(t *testing.T) {
	r, other, disk := twoUsers(t)
	r.rt.At("RunPodSandbox", 1).Fail(2, "failed to setup network for sandbox")
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); err == nil {
		t.Fatal("no error")
	}
	if c := claimOn(t, disk); c != nil {
		t.Errorf("it stays: %+v", c)
	}
	if _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); err != nil {
		t.Error(err)
	}
}
