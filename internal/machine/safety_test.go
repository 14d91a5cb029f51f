package machine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
	"vmctl/internal/storage"
)

// The tests in this file are ways in which a disk was lost, or could have been.

func TestAnotherRuntimeDoesNotTouchARunningMachine(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	r.up(t, "demo")
	other, rt2 := r.elsewhere(t)
	for verb, do := range map[string]func() error{
		"start":  func() error { _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); return err },
		"stop":   func() error { return other.Stop(t.Context(), "demo", StopOptions{}, nil) },
		"delete": func() error { return other.Delete(t.Context(), "demo", DeleteOptions{Storage: true, Force: true}, nil) },
	} {
		if err := do(); !errors.Is(err, ErrGuard) || !strings.Contains(err.Error(), r.rt.Endpoint()) {
			t.Errorf("%s on another runtime: %v", verb, err)
		}
	}
	if n := len(rt2.Sandboxes()); n != 0 || r.counter(t, "demo") != 2 {
		t.Errorf("%d sandboxes on the other runtime, counter %d", n, r.counter(t, "demo"))
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); err != nil || r.counter(t, "demo") != 3 {
		t.Errorf("after a stop it may move: %v, counter %d", err, r.counter(t, "demo"))
	}
}

// The way out of a runtime that cannot start it is another runtime.
func TestRefusedStartDoesNotTieTheMachineToItsRuntime(t *testing.T) {
	r := newRig(t)
	if _, err := r.Create(t.Context(), "demo", r.recipe(t, "")); err != nil {
		t.Fatal(err)
	}
	r.rt.At("RunPodSandbox", 1).Fail(2, "failed to setup network for sandbox")
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); err == nil {
		t.Fatal("no error")
	}
	other, rt2 := r.elsewhere(t)
	if _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); err != nil || len(rt2.Sandboxes()) != 1 {
		t.Errorf("on another runtime: %v, %d sandboxes", err, len(rt2.Sandboxes()))
	}
}

// A start whose end nobody saw does.
func TestUnseenStartTiesTheMachineToItsRuntime(t *testing.T) {
	r := newRig(t)
	if _, err := r.Create(t.Context(), "demo", r.recipe(t, "")); err != nil {
		t.Fatal(err)
	}
	r.rt.At("CreateContainer", 1).Vanish()
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, cri.ErrUnavailable) {
		t.Fatalf("error %v", err)
	}
	other, _ := r.elsewhere(t)
	if _, err := other.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrGuard) {
		t.Errorf("on another runtime: %v", err)
	}
}

func TestUndoLeavesAMachineThatAnotherStarted(t *testing.T) {
	r := newRig(t)
	undo, err := r.ensure("demo", r.recipe(t, ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.up(t, "demo") // somebody else is faster
	undo(t.Context())
	if mc, err := r.Show(t.Context(), "demo"); err != nil || mc.Phase != Running || r.counter(t, "demo") != 1 {
		t.Errorf("%s, %v, counter %d", mc.Phase, err, r.counter(t, "demo"))
	}
	if err := r.Delete(t.Context(), "demo", DeleteOptions{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	if undo, err = r.ensure("demo", r.recipe(t, ""), nil); err != nil { // takes the kept disk over
		t.Fatal(err)
	}
	undo(t.Context())
	if r.counter(t, "demo") != 1 {
		t.Error("the undo removed a kept disk")
	}
}

func TestStopAllStopsEverybodysMachines(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	theirs := *r.Manager
	theirs.Store = storage.NewStore(t.TempDir())
	if _, err := theirs.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	broken := r.up(t, "broken")
	if err := os.WriteFile(filepath.Join(broken.Directory, "recipe.toml"), []byte("guest = \"new\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := r.StopAll(t.Context(), func(name string) { names = append(names, name) }, nil); err != nil {
		t.Fatal(err)
	}
	if len(names) != 2 || r.rt.Count("StopContainer") != 3 {
		t.Errorf("stopped %v with %d StopContainer calls", names, r.rt.Count("StopContainer"))
	}
	r.empty(t)
	for _, dir := range []string{theirs.Store.Root() + "/demo", broken.Directory} {
		if _, err := os.Stat(dir + "/storage/demo.boot"); err != nil {
			t.Errorf("it was not shut down cleanly: %v", err)
		}
	}
}

func TestStopAllSaysWhatGoesOn(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.rt.At("StopContainer", 1).Fail(2, "no")
	if err := r.StopAll(t.Context(), nil, nil); err == nil || !errors.Is(err, ErrPhase) {
		t.Errorf("error %v", err)
	}
	if mc, err := r.Show(t.Context(), "demo"); err != nil || mc.Phase != Running {
		t.Errorf("a stop that was refused leaves it %s, %v", mc.Phase, err)
	}
}

func TestDeleteKeepsWhatTheGuardMustKnow(t *testing.T) {
	r := newRig(t)
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{Wait: UntilRunning}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the installation, which nobody watches", func() bool { return r.counter(t, "demo") == 1 })
	r.rt.Reboot()
	if err := r.Delete(t.Context(), "demo", DeleteOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil); !errors.Is(err, ErrGuard) {
		t.Errorf("error %v", err)
	}
	if r.counter(t, "demo") != 1 {
		t.Errorf("counter = %d: the kept disk was reinstalled", r.counter(t, "demo"))
	}
	if mc, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{MarkInstalled: true}, nil); err != nil || mc.Phase != Running {
		t.Errorf("the hint's way out: %v", err)
	}
}

// A small disk without its marker is no question, but who says that it is installed is
// believed: an adopted one would be lost otherwise.
func TestMarkInstalledMarksWhatIsNoQuestion(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	rec := parse(t, rigRecipe+"[storage]\npath = \""+dir+"\"\n")
	if err := os.WriteFile(dir+"/data.img", []byte("7"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Up(t.Context(), "demo", rec, StartOptions{MarkInstalled: true}, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(dir + "/data.img"); err != nil || string(data) != "8" {
		t.Errorf("the adopted disk says %q, %v; want its next boot, 8", data, err)
	}
}

func TestReinstallForgetsTheOldInstallation(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.rt.Reboot()
	r.guest.InstallTime.Store(int64(time.Hour))
	if _, err := r.Start(t.Context(), "demo", StartOptions{Reinstall: true, Wait: UntilViewer}, nil); err != nil {
		t.Fatal(err)
	}
	if mc, _ := r.Show(t.Context(), "demo"); mc.Installed || mc.Phase != Installing {
		t.Errorf("while it installs anew: %s, installed %v", mc.Phase, mc.Installed)
	}
}

func TestFrozenIdentityIsGuarded(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(mc.Directory, "recipe.toml")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), "[env]\n", "[env]\nVERSION = \"99\"\n", 1)
	if strings.Contains(string(data), "VERSION") {
		changed = strings.Replace(string(data), "VERSION = '1'", "VERSION = '99'", 1)
	}
	if changed == string(data) {
		t.Fatalf("the test does not know the frozen recipe:\n%s", data)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrGuard) {
		t.Errorf("error %v", err)
	}
}

func TestOneStorageDirectoryUnderTwoNames(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/real", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+"/real", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	one, two := r.recipe(t, ""), r.recipe(t, "")
	one.Storage.Path, two.Storage.Path = dir+"/real", dir+"/link/"
	if _, err := r.Up(t.Context(), "one", one, StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Up(t.Context(), "two", two, StartOptions{}, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("a second guest on one disk: %v", err)
	}
}

func TestParallelStartsChooseDifferentPorts(t *testing.T) {
	r := newRig(t)
	rec := parse(t, strings.Replace(rigRecipe, `host = "any"`, `host = "39061+"`, 1))
	var wg sync.WaitGroup
	machines, errs := make([]Machine, 4), make([]error, 4)
	for i, name := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			machines[i], errs[i] = r.Up(t.Context(), name, rec, StartOptions{}, nil)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	seen := map[int]string{}
	for _, mc := range machines {
		port := mc.Forwards[0].HostPort
		if seen[port] != "" {
			t.Errorf("%s and %s both have port %d", seen[port], mc.Name, port)
		}
		seen[port] = mc.Name
	}
}

func TestUnknownContainerIsStoppedCleanly(t *testing.T) {
	if got, _ := judge(evidence{container: container(cri.ContainerUnknown, 0)}); got != Failed {
		t.Errorf("phase %s", got)
	}
	p := pod{containers: []cri.Container{{State: cri.ContainerUnknown, Name: containerName}}}
	if !p.live() || refuseLive([]pod{p}, false) == nil {
		t.Error("a container of unknown state counts as ended")
	}
}

func TestInterruptedStopIsTakenUp(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	stalled := r.rt.At("StopContainer", 1).Stall()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-stalled.Reached(); cancel() }()
	if err := r.Stop(ctx, "demo", StopOptions{}, nil); !errors.Is(err, context.Canceled) || !strings.Contains(hint.Of(err), "goes on shutting down") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
	if mc, _ := r.Show(t.Context(), "demo"); mc.Phase != Stopping {
		t.Errorf("phase %s", mc.Phase)
	}
	if mc := r.up(t, "demo"); mc.Phase != Running || r.counter(t, "demo") != 2 {
		t.Errorf("an up after it: %s, counter %d; want a finished stop and a new start", mc.Phase, r.counter(t, "demo"))
	}
}

// The call that is given up and the context that ends it are seen in either order.
func TestInterruptedStopAlwaysSaysThatTheGuestGoesOn(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		err := r.stopContainer(ctx, mc.ContainerID, time.Minute, func(Progress) { cancel(); runtime.Gosched() })
		if !errors.Is(err, context.Canceled) || !strings.Contains(hint.Of(err), "goes on shutting down") {
			t.Fatalf("error %v, hint %q", err, hint.Of(err))
		}
	}
}
