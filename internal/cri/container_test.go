package cri_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// running starts a container called "vm" in the fake.
func running(t *testing.T, rt *critest.Server, c *cri.Client) string {
	t.Helper()
	rt.AddImage("localhost/vm:1")
	sandbox, err := c.RunSandbox(t.Context(), pod(), "")
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateContainer(t.Context(), sandbox, cri.ContainerConfig{Name: "vm", Image: "localhost/vm:1"}, pod())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.StartContainer(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestContainerCallsFail(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	ctx := t.Context()
	for method, call := range map[string]func() error{
		"CreateContainer": func() error { _, err := c.CreateContainer(ctx, "s", cri.ContainerConfig{}, pod()); return err },
		"StartContainer":  func() error { return c.StartContainer(ctx, "id") },
		"StopContainer":   func() error { return c.StopContainer(ctx, "id", time.Second) },
		"RemoveContainer": func() error { return c.RemoveContainer(ctx, "id") },
		"ContainerStatus": func() error { _, err := c.Container(ctx, "id"); return err },
		"ListContainers":  func() error { _, err := c.ListContainers(ctx, cri.ContainerFilter{}); return err },
		"ContainerStats":  func() error { _, err := c.ContainerStats(ctx, "id"); return err },
		"ExecSync":        func() error { _, err := c.Exec(ctx, "id", []string{"true"}, time.Second); return err },
		"Exec":            func() error { _, err := c.ExecStream(ctx, "id", []string{"true"}, cri.ExecIO{}); return err },
		"ReopenContainerLog": func() error {
			return c.ReopenLog(ctx, "id")
		},
	} {
		rt.At(method, 1).Fail(codes.Unavailable, "gone")
		if err := call(); !errors.Is(err, cri.ErrUnavailable) || !strings.HasSuffix(err.Error(), ": gone") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// The call must outlive the grace: containerd never kills when its caller has
// gone before.
func TestStopContainerDeadline(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	id := running(t, rt, c)
	if err := c.StopContainer(t.Context(), id, 90*time.Second+time.Millisecond); err != nil {
		t.Fatal(err)
	}
	calls := rt.Calls()
	last := calls[len(calls)-1]
	if got := last.Request.(*pb.StopContainerRequest).Timeout; got != 91 {
		t.Errorf("grace sent = %d s, want 91", got)
	}
	if s := rt.Containers()[0]; s.ExitCode != 143 {
		t.Errorf("exit code %d, want 143", s.ExitCode)
	}
}

func TestStopContainerCancelled(t *testing.T) {
	rt := critest.NewServer(t)
	rt.OnStart("vm", func(p *critest.Process) int { <-p.Killed(); return 137 })
	c := dial(t, rt)
	id := running(t, rt, c)
	ctx, cancel := context.WithCancel(t.Context())
	rt.At("StopContainer", 1).Do(func() { time.AfterFunc(50*time.Millisecond, cancel) })
	if err := c.StopContainer(ctx, id, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if s := rt.Containers()[0]; s.State != cri.ContainerRunning {
		t.Errorf("state = %d, want running", s.State)
	}
	if err := c.StopContainer(t.Context(), id, 0); err != nil {
		t.Error(err)
	}
	if s := rt.Containers()[0]; s.ExitCode != 137 {
		t.Errorf("exit code %d, want 137", s.ExitCode)
	}
}

func TestStopUnknownOnBothKinds(t *testing.T) {
	for _, p := range []critest.Profile{critest.Containerd16(), critest.Containerd2()} {
		c := dial(t, critest.NewServer(t, critest.WithProfile(p)))
		if err := c.StopContainer(t.Context(), "nope", time.Second); err != nil {
			t.Errorf("%s: %v", p.Version, err)
		}
		if err := c.StopSandbox(t.Context(), "nope"); err != nil {
			t.Errorf("%s: %v", p.Version, err)
		}
	}
}

func TestContainerStatsOfEnded(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	id := running(t, rt, c)
	if err := c.StopContainer(t.Context(), id, time.Second); err != nil {
		t.Fatal(err)
	}
	s, err := c.ContainerStats(t.Context(), id)
	if err != nil || s != (cri.ContainerStats{}) {
		t.Errorf("statistics %+v, %v; want none", s, err)
	}
}

func TestStartAnswerLost(t *testing.T) {
	rt := critest.NewServer(t)
	rt.AddImage("localhost/vm:1")
	c := dial(t, rt)
	sandbox, err := c.RunSandbox(t.Context(), pod(), "")
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateContainer(t.Context(), sandbox, cri.ContainerConfig{Name: "vm", Image: "localhost/vm:1"}, pod())
	if err != nil {
		t.Fatal(err)
	}
	rt.At("StartContainer", 1).LoseAnswer()
	if err := c.StartContainer(t.Context(), id); !errors.Is(err, cri.ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
	if s, err := c.Container(t.Context(), id); err != nil || s.State != cri.ContainerRunning {
		t.Errorf("state %d, %v: the container runs although nobody was told", s.State, err)
	}
}
