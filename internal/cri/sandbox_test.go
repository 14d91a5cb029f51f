package cri_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

func pod() cri.SandboxConfig {
	return cri.SandboxConfig{Name: "win11", Namespace: "vmctl", UID: "u1", Labels: map[string]string{"io.vmctl.machine": "win11"}}
}

// withoutContainers is what must be left after a failed run.
func withoutContainers(t *testing.T, rt *critest.Server) {
	t.Helper()
	if left := rt.Sandboxes(); len(left) > 0 {
		t.Errorf("left behind: %+v", left)
	}
}

func TestRunSandboxFailures(t *testing.T) {
	for _, test := range []struct {
		name    string
		profile critest.Profile
		arrange func(rt *critest.Server, cancel func())
		want    error // nil: any
		text    string
	}{
		{
			name: "refused", profile: critest.Containerd2(),
			arrange: func(rt *critest.Server, _ func()) {
				rt.At("RunPodSandbox", 1).Fail(codes.Unknown, "runc create failed")
			},
			text: `run sandbox "win11": runc create failed`,
		},
		{
			name: "containerd 1.6 leaves a sandbox without network", profile: critest.Containerd16(),
			arrange: func(rt *critest.Server, _ func()) { rt.BreakNetwork("cni plugin not initialized") },
			text:    "cni plugin not initialized",
		},
		{
			name: "done, but the answer is lost", profile: critest.Containerd2(),
			arrange: func(rt *critest.Server, _ func()) { rt.At("RunPodSandbox", 1).LoseAnswer() },
			want:    cri.ErrUnavailable,
		},
		{
			name: "the disk is full half-way", profile: critest.Containerd2(),
			arrange: func(rt *critest.Server, _ func()) {
				rt.At("RunPodSandbox", 1).FailAfter(codes.Unknown, "write: no space left on device")
			},
			want: cri.ErrDiskFull,
		},
		{
			name: "the daemon dies", profile: critest.Containerd2(),
			arrange: func(rt *critest.Server, _ func()) { rt.At("RunPodSandbox", 1).Vanish() },
			want:    cri.ErrUnavailable,
		},
		{
			name: "cancelled while it hangs", profile: critest.Containerd2(),
			arrange: func(rt *critest.Server, cancel func()) {
				stalled := rt.At("RunPodSandbox", 1).Stall()
				go func() { <-stalled.Reached(); cancel() }()
			},
			want: context.Canceled,
		},
		{
			name: "cancelled, and it finishes all the same", profile: critest.Containerd2(),
			arrange: func(rt *critest.Server, cancel func()) {
				rt.At("RunPodSandbox", 1).Do(func() {
					cancel()
					time.Sleep(300 * time.Millisecond)
				})
			},
			want: context.Canceled,
		},
		{
			name: "cancelled on CRI-O", profile: critest.CRIO(),
			arrange: func(rt *critest.Server, cancel func()) {
				rt.At("RunPodSandbox", 1).Do(func() {
					cancel()
					time.Sleep(300 * time.Millisecond)
				})
			},
			want: context.Canceled,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rt := critest.NewServer(t, critest.WithProfile(test.profile))
			c := dial(t, rt)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			test.arrange(rt, cancel)
			_, err := c.RunSandbox(ctx, pod(), "")
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %v with %q", err, test.want, test.text)
			}
			if strings.Contains(err.Error(), "left behind") {
				t.Errorf("clean up failed: %v", err)
			}
			withoutContainers(t, rt)
		})
	}
}

// CRI-O hides a sandbox whose caller has gone from its list; asking again is the
// only way to it.
func TestRunSandboxClaimsOnCRIO(t *testing.T) {
	rt := critest.NewServer(t, critest.WithProfile(critest.CRIO()))
	c := dial(t, rt)
	ctx, cancel := context.WithCancel(t.Context())
	rt.At("RunPodSandbox", 1).Do(cancel)
	if _, err := c.RunSandbox(ctx, pod(), ""); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := rt.Count("RunPodSandbox"); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	withoutContainers(t, rt)
}

// containerd keeps the name of a run that was broken off until it has undone the run,
// and lists no sandbox meanwhile.
func TestRunSandboxWaitsForANameOfNoSandbox(t *testing.T) {
	reserved := `failed to reserve sandbox name "win11_vmctl_u1_0": name "win11_vmctl_u1_0" is reserved for "f421d38b"`
	rt := critest.NewServer(t)
	c := dial(t, rt)
	rt.At("RunPodSandbox", 1).Fail(codes.Unknown, reserved)
	rt.At("RunPodSandbox", 2).Fail(codes.Unknown, reserved)
	if _, err := c.RunSandbox(t.Context(), pod(), ""); err != nil {
		t.Error(err)
	}
	if n := rt.Count("RunPodSandbox"); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestRunSandboxIsInterruptedWhileANameIsKept(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	rt.At("RunPodSandbox", 0).Fail(codes.Unknown, `name "win11_vmctl_u1_0" is reserved for "f421d38b"`)
	ctx, cancel := context.WithCancel(t.Context())
	rt.At("ListPodSandbox", 1).Do(cancel)
	if _, err := c.RunSandbox(ctx, pod(), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A container whose start was broken off is removed when containerd has undone it.
func TestRemoveSandboxWaitsForABrokenOffStart(t *testing.T) {
	starting := `failed to remove container "a2": failed to set removing state for container "a2": container is in starting state, can't be removed`
	rt := critest.NewServer(t)
	c := dial(t, rt)
	id, err := c.RunSandbox(t.Context(), pod(), "")
	if err != nil {
		t.Fatal(err)
	}
	rt.At("RemovePodSandbox", 1).Fail(codes.Unknown, starting)
	rt.At("RemovePodSandbox", 2).Fail(codes.Unknown, starting)
	if err := c.RemoveSandbox(t.Context(), id); err != nil {
		t.Error(err)
	}
	withoutContainers(t, rt)

	rt.At("RemovePodSandbox", 0).Fail(codes.Unknown, starting)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.RemoveSandbox(ctx, id); !errors.Is(err, cri.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a start that is never undone: %v", err)
	}
}

// The worst that could happen: a machine that runs is taken for a leftover.
func TestRunSandboxSparesWhatWasThere(t *testing.T) {
	for name, arrange := range map[string]func(*critest.Server){
		"name in use": func(*critest.Server) {},
		"error":       func(rt *critest.Server) { rt.At("RunPodSandbox", 1).Fail(codes.Unknown, "boom") },
		"lost answer": func(rt *critest.Server) { rt.At("RunPodSandbox", 1).LoseAnswer() },
	} {
		t.Run(name, func(t *testing.T) {
			rt := critest.NewServer(t)
			rt.AddImage("localhost/vm:1")
			c := dial(t, rt)
			id, err := c.RunSandbox(t.Context(), pod(), "")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.CreateContainer(t.Context(), id, cri.ContainerConfig{Name: "vm", Image: "localhost/vm:1"}, pod()); err != nil {
				t.Fatal(err)
			}
			arrange(rt)
			if _, err := c.RunSandbox(t.Context(), pod(), ""); err == nil {
				t.Fatal("the second run succeeded")
			}
			if s := rt.Sandboxes(); len(s) != 1 || s[0].State != cri.SandboxReady || len(rt.Containers()) != 1 {
				t.Errorf("sandboxes %+v, containers %+v", s, rt.Containers())
			}
		})
	}
}

// Only the identity counts: a neighbour with the same labels stays.
func TestRunSandboxSparesNeighbours(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	for _, change := range []func(*cri.SandboxConfig){
		func(s *cri.SandboxConfig) { s.Attempt = 1 },
		func(s *cri.SandboxConfig) { s.UID = "u2" },
		func(s *cri.SandboxConfig) { s.Namespace = "other" },
		func(s *cri.SandboxConfig) { s.Name = "win12" },
	} {
		cfg := pod()
		change(&cfg)
		if _, err := c.RunSandbox(t.Context(), cfg, ""); err != nil {
			t.Fatal(err)
		}
	}
	rt.At("RunPodSandbox", 1).FailAfter(codes.Unknown, "boom")
	if _, err := c.RunSandbox(t.Context(), pod(), ""); err == nil {
		t.Fatal("no error")
	}
	if n := len(rt.Sandboxes()); n != 4 {
		t.Errorf("%d sandboxes left, want the 4 neighbours", n)
	}
}

func TestRunSandboxCleanUpFails(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	rt.At("RunPodSandbox", 1).FailAfter(codes.Unknown, "boom")
	rt.At("RemovePodSandbox", 0).Fail(codes.Unknown, "stuck mount")
	_, err := c.RunSandbox(t.Context(), pod(), "")
	if err == nil || !strings.Contains(err.Error(), `"win11": boom (left behind: `) || !strings.Contains(err.Error(), "stuck mount") {
		t.Errorf("error %v does not tell both", err)
	}
}

func TestSandboxCallsFail(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	ctx := t.Context()
	for method, call := range map[string]func() error{
		"StopPodSandbox":   func() error { return c.StopSandbox(ctx, "id") },
		"RemovePodSandbox": func() error { return c.RemoveSandbox(ctx, "id") },
		"PodSandboxStatus": func() error { _, err := c.Sandbox(ctx, "id"); return err },
		"ListPodSandbox":   func() error { _, err := c.ListSandboxes(ctx, cri.SandboxFilter{}); return err },
	} {
		rt.At(method, 1).Fail(codes.Unavailable, "gone")
		if err := call(); !errors.Is(err, cri.ErrUnavailable) || !strings.HasSuffix(err.Error(), ": gone") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func TestSandboxAfterReboot(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	id, err := c.RunSandbox(t.Context(), pod(), "")
	if err != nil {
		t.Fatal(err)
	}
	before, err := c.Sandbox(t.Context(), id)
	if err != nil || before.IP == "" || !strings.HasPrefix(before.NetNSPath, "/run/netns/") {
		t.Fatalf("before: %+v, %v", before, err)
	}
	rt.Reboot()
	after, err := c.Sandbox(t.Context(), id)
	if err != nil || after.State != cri.SandboxNotReady || after.IP != "" {
		t.Errorf("after: %+v, %v", after, err)
	}
}
