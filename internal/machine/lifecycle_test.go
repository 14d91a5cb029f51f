package machine

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

func TestUpStopUpDelete(t *testing.T) {
	r := newRig(t)
	r.guest.Watched.Store(true)
	var s stages
	mc, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, s.report)
	if err != nil {
		t.Fatal(err)
	}
	if mc.Phase != Running || !mc.Installed || mc.Address == "" || mc.ContainerID == "" {
		t.Errorf("machine is %+v", mc)
	}
	if got := s.seen(); !strings.HasPrefix(got, "check create ") || !strings.Contains(got, "install") || !strings.HasSuffix(got, "ready") {
		t.Errorf("stages: %s", got)
	}

	again := r.up(t, "demo")
	if again.ContainerID != mc.ContainerID || r.rt.Count("RunPodSandbox") != 1 {
		t.Error("a second up did not go on with what was there")
	}

	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	r.empty(t)
	var order []string
	for _, c := range r.rt.Calls() {
		if strings.HasPrefix(c.Method, "Stop") || c.Method == "RemovePodSandbox" {
			order = append(order, c.Method)
		}
	}
	if diff := cmp.Diff([]string{"StopContainer", "StopPodSandbox", "RemovePodSandbox"}, order); diff != "" {
		t.Error(diff)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Errorf("a second stop: %v", err)
	}

	second := r.up(t, "demo")
	if got := r.counter(t, "demo"); got != 2 {
		t.Errorf("counter = %d after a stop and a start, want 2: the disk did not survive", got)
	}
	if second.Forwards[0].HostPort != mc.Forwards[0].HostPort {
		t.Errorf("the host port changed from %d to %d", mc.Forwards[0].HostPort, second.Forwards[0].HostPort)
	}
	if err := r.Delete(t.Context(), "demo", DeleteOptions{}, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("delete of a running machine: %v", err)
	}
	if err := r.Delete(t.Context(), "demo", DeleteOptions{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	r.empty(t)
	if got := r.counter(t, "demo"); got != 2 {
		t.Errorf("counter = %d after delete, want 2: the disk is gone", got)
	}

	third := r.up(t, "demo")
	if third.UID != mc.UID {
		t.Error("a machine that takes over a disk is another one to its guest")
	}
	if got := r.counter(t, "demo"); got != 3 {
		t.Errorf("counter = %d, want 3: the kept disk was not taken over", got)
	}
	if err := r.Delete(t.Context(), "demo", DeleteOptions{Force: true, Storage: true}, nil); err != nil {
		t.Fatal(err)
	}
	r.empty(t)
	r.nothing(t)
	if _, err := r.Show(t.Context(), "demo"); !errors.Is(err, ErrNotFound) {
		t.Errorf("show after delete: %v", err)
	}
}

func TestRestart(t *testing.T) {
	r := newRig(t)
	first := r.up(t, "demo")
	mc, err := r.Restart(t.Context(), "demo", StopOptions{}, StartOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if mc.ContainerID == first.ContainerID || mc.Phase != Running || r.counter(t, "demo") != 2 {
		t.Errorf("machine %+v, counter %d", mc, r.counter(t, "demo"))
	}
}

// TestStartGoesWrong breaks each call of a start, in each way: nothing of the start
// may stay, neither in the runtime nor in the user's directory.
func TestStartGoesWrong(t *testing.T) {
	for _, method := range []string{"RunPodSandbox", "CreateContainer", "StartContainer"} {
		for _, fault := range []string{"fail", "lost answer", "cancelled"} {
			t.Run(method+" "+fault, func(t *testing.T) {
				r := newRig(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				switch at := r.rt.At(method, 1); fault {
				case "fail":
					at.Fail(2, "no such luck")
				case "lost answer":
					at.LoseAnswer()
				case "cancelled":
					stalled := at.Stall()
					go func() { <-stalled.Reached(); cancel() }()
				}
				_, err := r.Up(ctx, "demo", r.recipe(t, ""), StartOptions{}, nil)
				if method == "StartContainer" && fault == "lost answer" {
					if err != nil {
						t.Fatalf("the container runs, and up says %v", err)
					}
					return
				}
				if err == nil {
					t.Fatal("no error")
				}
				if fault == "cancelled" && !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
				eventually(t, "an empty runtime", func() bool { return len(r.rt.Sandboxes()) == 0 && len(r.rt.Containers()) == 0 })
				r.nothing(t)
				r.rt.Heal()
				r.up(t, "demo")
			})
		}
	}
}

func TestImageIsPulled(t *testing.T) {
	r := newRig(t)
	r.rt.Publish(cri.Auth{}, "registry.example/demo:1")
	rec := parse(t, strings.Replace(rigRecipe, rigImage, "registry.example/demo:1", 1))
	r.WatchPull = func(ctx context.Context, fn func(done, total int64)) error { fn(5, 10); <-ctx.Done(); return nil }
	var s stages
	if _, err := r.Up(t.Context(), "demo", rec, StartOptions{}, s.report); err != nil {
		t.Fatal(err)
	}
	if got := s.seen(); !strings.HasPrefix(got, "check pull create") {
		t.Errorf("stages: %s", got)
	}
}

func TestImageCannotBePulled(t *testing.T) {
	r := newRig(t)
	for image, wantHint := range map[string]string{
		"registry.example/none:1": "image import",
		"localhost/vmctl-other:1": "bin/images/other.tar",
	} {
		_, err := r.Up(t.Context(), "demo", parse(t, strings.Replace(rigRecipe, rigImage, image, 1)), StartOptions{}, nil)
		if err == nil || !strings.Contains(hint.Of(err), wantHint) {
			t.Errorf("%s: %v (hint %q)", image, err, hint.Of(err))
		}
		r.empty(t)
		r.nothing(t)
	}
}

func TestRuntimeDiesDuringAPull(t *testing.T) {
	r := newRig(t)
	r.rt.At("PullImage", 1).Vanish()
	_, err := r.Up(t.Context(), "demo", parse(t, strings.Replace(rigRecipe, rigImage, "registry.example/vm:1", 1)), StartOptions{}, nil)
	if !errors.Is(err, cri.ErrUnavailable) || strings.Contains(hint.Of(err), "image's name") {
		t.Errorf("%v (hint %q)", err, hint.Of(err))
	}
	r.nothing(t)
}

func TestPullIsInterrupted(t *testing.T) {
	r := newRig(t)
	under := r.rt.PublishEndless("registry.example/big:1")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-under; cancel() }()
	_, err := r.Up(ctx, "demo", parse(t, strings.Replace(rigRecipe, rigImage, "registry.example/big:1", 1)), StartOptions{}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	r.empty(t)
	r.nothing(t)
}

func TestInterruptedWaitLeavesTheMachine(t *testing.T) {
	r := newRig(t)
	r.guest.InstallTime.Store(int64(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := r.Up(ctx, "demo", r.recipe(t, ""), StartOptions{}, func(p Progress) {
		if p.Stage == StageInstall {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(hint.Of(err), "vmctl up demo") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
	mc, err := r.Show(t.Context(), "demo")
	if err != nil || mc.Phase != Installing || mc.Progress != "Installing demo" || mc.Percent != 50 {
		t.Errorf("machine %+v, error %v", mc, err)
	}
}

func TestWaitTimesOut(t *testing.T) {
	r := newRig(t)
	r.guest.InstallTime.Store(int64(time.Hour))
	_, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{Timeout: 50 * time.Millisecond}, nil)
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "Installing demo") {
		t.Errorf("error %v", err)
	}
	if mc, _ := r.Show(t.Context(), "demo"); mc.Phase != Installing {
		t.Errorf("the machine did not go on: %s", mc.Phase)
	}
}

func TestWaitUntil(t *testing.T) {
	r := newRig(t)
	r.guest.InstallTime.Store(int64(time.Hour))
	for _, until := range []Until{UntilRunning, UntilViewer} {
		mc, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{Wait: until}, nil)
		if err != nil || !mc.Phase.Up() {
			t.Errorf("%s: %+v, %v", until, mc, err)
		}
	}
}

func TestImageEndsByItself(t *testing.T) {
	r := newRig(t)
	r.guest.ExitCode.Store(71)
	r.guest.ExitLine.Store("\x1b[1;31m❯ ERROR: Shrinking disks is not supported yet, please increase DISK_SIZE\x1b[0m")
	_, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil)
	if !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), "exit code 71: the disk cannot be made smaller: Shrinking disks") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(hint.Of(err), "resources.disk") {
		t.Errorf("hint %q", hint.Of(err))
	}
	mc, err := r.Show(t.Context(), "demo")
	if err != nil || mc.Phase != Failed || !strings.Contains(mc.Reason, "exit code 71") || mc.Fix == "" {
		t.Errorf("machine %+v, error %v", mc, err)
	}
	r.guest.ExitCode.Store(0)
	if again := r.up(t, "demo"); again.Phase != Running {
		t.Errorf("after the failure it is %s", again.Phase)
	}
}

func TestRuntimeDies(t *testing.T) {
	r := newRig(t)
	r.guest.InstallTime.Store(int64(time.Hour))
	var once sync.Once
	_, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, func(p Progress) {
		if p.Stage == StageInstall {
			once.Do(r.rt.Stop)
		}
	})
	if !errors.Is(err, cri.ErrUnavailable) || hint.Of(err) == "" {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
	if _, err := r.List(t.Context()); !errors.Is(err, cri.ErrUnavailable) {
		t.Errorf("list: %v", err)
	}
	if err := r.rt.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the runtime's return", func() bool {
		mc, err := r.Show(t.Context(), "demo")
		return err == nil && mc.Phase == Installing
	})
}

func TestReboot(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	r.up(t, "demo") // from a marked disk
	r.rt.Reboot()
	mc, err := r.Show(t.Context(), "demo")
	if err != nil || mc.Phase != Stopped || !strings.Contains(mc.Reason, "restarted") {
		t.Errorf("after a reboot: %+v, %v", mc, err)
	}
	if again := r.up(t, "demo"); again.Phase != Running || r.counter(t, "demo") != 3 {
		t.Errorf("phase %s, counter %d", again.Phase, r.counter(t, "demo"))
	}
	if n := len(r.rt.Sandboxes()); n != 1 {
		t.Errorf("%d sandboxes, want 1", n)
	}
}

func TestGuardProtectsTheDisk(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.rt.Reboot() // a power cut before the first clean stop: there is no marker
	_, err := r.Start(t.Context(), "demo", StartOptions{}, nil)
	if !errors.Is(err, ErrGuard) || !strings.Contains(hint.Of(err), "--mark-installed") {
		t.Fatalf("error %v, hint %q", err, hint.Of(err))
	}
	if got := r.counter(t, "demo"); got != 1 {
		t.Fatalf("counter = %d: the disk was touched", got)
	}
	mc, err := r.Start(t.Context(), "demo", StartOptions{MarkInstalled: true}, nil)
	if err != nil || mc.Phase != Running || r.counter(t, "demo") != 2 {
		t.Errorf("mark-installed: %+v, %v, counter %d", mc.Phase, err, r.counter(t, "demo"))
	}
}

func TestGuardLetsTheUserReinstall(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	r.rt.Reboot()
	mc, err := r.Start(t.Context(), "demo", StartOptions{Reinstall: true}, nil)
	if err != nil || mc.Phase != Running || r.counter(t, "demo") != 1 {
		t.Errorf("%s, %v, counter %d", mc.Phase, err, r.counter(t, "demo"))
	}
}

func TestDeafGuestIsKilledAfterItsGrace(t *testing.T) {
	r := newRig(t)
	r.guest.Deaf.Store(true)
	rec := r.recipe(t, "")
	if _, err := r.Up(t.Context(), "deaf", rec, StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	pods, err := r.survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, _ := pods.named("deaf")
	var s stages
	p.Annotations[annotationGrace] = "1" // no recipe may ask for so little
	if err := r.stopPods(t.Context(), []pod{p}, StopOptions{}, s.report); err != nil {
		t.Fatal(err)
	}
	if last := s.list[len(s.list)-1]; last.Stage != StageNote || !strings.Contains(last.Text, "killed") {
		t.Errorf("last report %+v", last)
	}
	r.empty(t)
}

func TestForeignPod(t *testing.T) {
	r := newRig(t)
	id, err := r.Runtime.RunSandbox(t.Context(), cri.SandboxConfig{Name: "demo", Namespace: "vmctl", UID: "theirs", LogDirectory: t.TempDir()}, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil)
	if !errors.Is(err, ErrExists) || !strings.Contains(hint.Of(err), "crictl") {
		t.Errorf("error %v", err)
	}
	r.nothing(t)
	if list := r.rt.Sandboxes(); len(list) != 1 || list[0].ID != id {
		t.Errorf("the foreign sandbox was touched: %+v", list)
	}
}

func TestOrphan(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	if err := os.RemoveAll(mc.Directory); err != nil {
		t.Fatal(err)
	}
	list, err := r.List(t.Context())
	if err != nil || len(list) != 1 || !list[0].Orphan() || list[0].Phase != Running || list[0].Name != "demo" {
		t.Fatalf("list %+v, %v", list, err)
	}
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("a second container on one disk: %v", err)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	r.empty(t)
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("stop of nothing: %v", err)
	}
}

func TestTwoUpsAtOnce(t *testing.T) {
	r := newRig(t)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			other := *r.Manager
			_, errs[i] = other.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if n := len(r.rt.Sandboxes()); n != 1 || r.rt.Count("StartContainer") != 1 {
		t.Errorf("%d sandboxes and %d starts, want 1 and 1", n, r.rt.Count("StartContainer"))
	}
}

func TestPortIsTaken(t *testing.T) {
	r := newRig(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	rec := r.recipe(t, "")
	rec.Ports[0].Host = recipe.HostPort{Number: port, Mode: recipe.HostPortExact}
	_, err = r.Up(t.Context(), "demo", rec, StartOptions{}, nil)
	var taken *portfwd.TakenError
	if !errors.As(err, &taken) || taken.Owner.PID != os.Getpid() {
		t.Errorf("error %v", err)
	}
	r.empty(t)
	r.nothing(t)
	rec.Ports[0].Host.Mode = recipe.HostPortFrom
	mc, err := r.Up(t.Context(), "demo", rec, StartOptions{}, nil)
	if err != nil || mc.Forwards[0].HostPort <= port {
		t.Errorf("forwards %+v, error %v", mc.Forwards, err)
	}
}

func TestTwoMachinesDoNotShareAPort(t *testing.T) {
	r := newRig(t)
	rec := r.recipe(t, "")
	first := r.up(t, "one")
	rec.Ports[0].Host = recipe.HostPort{Number: first.Forwards[0].HostPort, Mode: recipe.HostPortExact}
	if _, err := r.Up(t.Context(), "two", rec, StartOptions{}, nil); err == nil || !strings.Contains(err.Error(), strconv.Itoa(first.Forwards[0].HostPort)) {
		t.Errorf("error %v", err)
	}
	list, err := r.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "one" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestNoPodNetwork(t *testing.T) {
	r := newRig(t)
	r.rt.BreakNetwork("cni plugin not initialized")
	_, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil)
	if !errors.Is(err, cri.ErrNotReady) || !strings.Contains(hint.Of(err), "runtime start") {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
	r.empty(t)
	r.nothing(t)
}

func TestRecipeIsFrozen(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	changed := r.recipe(t, "")
	changed.Env["VERSION"] = "2"
	var s stages
	if _, err := r.Up(t.Context(), "demo", changed, StartOptions{}, s.report); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(s.list, func(p Progress) bool { return p.Stage == StageNote && strings.Contains(p.Text, "not used") }) {
		t.Error("no note says that the recipe changed")
	}
	for _, e := range r.rt.Containers()[0].Config.Env {
		if e.Name == "VERSION" && e.Value == "2" {
			t.Error("the changed VERSION reached the disk's image")
		}
	}
	if r.counter(t, "demo") != 2 {
		t.Errorf("counter = %d", r.counter(t, "demo"))
	}
}

func TestKeptDiskIsNotGivenToAnotherIdentity(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	if err := r.Delete(t.Context(), "demo", DeleteOptions{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	changed := r.recipe(t, "")
	changed.Env["VERSION"] = "2"
	if _, err := r.Up(t.Context(), "demo", changed, StartOptions{}, nil); !errors.Is(err, ErrGuard) {
		t.Errorf("error %v", err)
	}
	if r.counter(t, "demo") != 1 {
		t.Errorf("counter = %d", r.counter(t, "demo"))
	}
}

func TestForceKillsTheGuestAndNotTheImage(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	killed := ""
	r.rt.OnExec(containerName, func(c critest.ExecCall) critest.ExecResult {
		killed = strings.Join(c.Cmd, " ")
		return critest.ExecResult{}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	go func() {
		eventually(t, "the kill", func() bool { return r.rt.Count("ExecSync") > 0 })
		for _, c := range r.rt.Containers() {
			_ = r.Runtime.StopContainer(ctx, c.ID, time.Second) // the image ends once QEMU is gone
		}
	}()
	if err := r.Stop(ctx, "demo", StopOptions{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(killed, "qemu.pid") {
		t.Errorf("killed by %q", killed)
	}
	r.empty(t)
}

func TestBrokenMachineIsListedAndCanBeStopped(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	if err := os.WriteFile(filepath.Join(mc.Directory, "recipe.toml"), []byte("guest = \"from the future\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := r.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Phase != Failed || list[0].Orphan() {
		t.Fatalf("list %+v, %v", list, err)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	r.empty(t)
}

func TestLogsAndExec(t *testing.T) {
	r := newRig(t)
	mc := r.up(t, "demo")
	info, err := os.Stat(mc.Log)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("log file: %v, %v", info, err)
	}
	var lines []string
	collect := func(l cri.LogLine) error { lines = append(lines, l.Text); return nil }
	if err := r.Logs(t.Context(), "demo", cri.LogOptions{}, collect); err != nil || !slices.Contains(lines, "counter=1") {
		t.Errorf("log %q, %v", lines, err)
	}
	r.rt.OnExec(containerName, func(c critest.ExecCall) critest.ExecResult {
		return critest.ExecResult{ExecResult: cri.ExecResult{Stdout: []byte(strings.Join(c.Cmd, ",")), ExitCode: 3}}
	})
	result, err := r.Exec(t.Context(), "demo", []string{"a", "b"}, time.Second)
	if err != nil || string(result.Stdout) != "a,b" || result.ExitCode != 3 {
		t.Errorf("exec %+v, %v", result, err)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Exec(t.Context(), "demo", []string{"a"}, time.Second); !errors.Is(err, ErrPhase) {
		t.Errorf("exec in a stopped machine: %v", err)
	}
	lines = nil
	if err := r.Logs(t.Context(), "demo", cri.LogOptions{Follow: true}, collect); err != nil || !strings.Contains(strings.Join(lines, " "), "Shutdown completed!") {
		t.Errorf("the log of a stopped machine: %q, %v", lines, err)
	}
	if _, err := r.Create(t.Context(), "fresh", r.recipe(t, "")); err != nil {
		t.Fatal(err)
	}
	if err := r.Logs(t.Context(), "fresh", cri.LogOptions{}, collect); !errors.Is(err, ErrPhase) {
		t.Errorf("the log of a machine that was never started: %v", err)
	}
}

func TestRenderIsWhatRuns(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	podJSON, containerJSON, err := r.Render(t.Context(), "demo", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cri.UnmarshalCrictlSandbox(podJSON)
	if err != nil {
		t.Fatal(err)
	}
	ran := r.rt.Sandboxes()[0].Config
	if diff := cmp.Diff(ran, p); diff != "" {
		t.Error(diff)
	}
	c, err := cri.UnmarshalCrictlContainer(containerJSON)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.rt.Containers()[0].Config.Env, c.Env); diff != "" {
		t.Error(diff)
	}
	offline := &Manager{Store: r.Store}
	if _, _, err := offline.Render(t.Context(), "new", r.recipe(t, ""), false); err != nil {
		t.Errorf("render without a runtime: %v", err)
	}
	if _, _, err := offline.Render(t.Context(), "none", nil, false); !errors.Is(err, ErrNotFound) {
		t.Errorf("render of nothing: %v", err)
	}
}

// TestRuntimeDiesWhileTheContainerStarts leaves open whether a container runs on the
// disk: then nothing is taken away, and the next up goes on with what there is.
func TestRuntimeDiesWhileTheContainerStarts(t *testing.T) {
	r := newRig(t)
	r.rt.At("StartContainer", 1).LoseAnswer()
	r.rt.At("ContainerStatus", 0).Fail(codes.Unavailable, "gone")
	r.rt.At("ListContainers", 3).Fail(codes.Unavailable, "gone")
	r.rt.At("ListContainers", 4).Fail(codes.Unavailable, "gone")
	r.rt.At("ListPodSandbox", 3).Fail(codes.Unavailable, "gone")
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil); !errors.Is(err, cri.ErrUnavailable) {
		t.Fatalf("error %v", err)
	}
	r.rt.Heal()
	eventually(t, "the guest's first boot", func() bool { return r.counter(t, "demo") == 1 })
	mc := r.up(t, "demo")
	if mc.Phase != Running || r.counter(t, "demo") != 1 || r.rt.Count("RunPodSandbox") != 1 {
		t.Errorf("%s, counter %d, %d sandboxes made", mc.Phase, r.counter(t, "demo"), r.rt.Count("RunPodSandbox"))
	}
}
