package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// fakeRuntime is ready after some calls, and has its pods removed.
type fakeRuntime struct {
	cri.UnimplementedRuntimeServiceServer
	readyAfter int32
	calls      atomic.Int32
	conditions []*cri.RuntimeCondition // besides RuntimeReady
	pods       []string
	stuck      string // a pod that cannot be stopped
	removed    []string
}

func (f *fakeRuntime) Status(context.Context, *cri.StatusRequest) (*cri.StatusResponse, error) {
	ready := f.calls.Add(1) > f.readyAfter
	return &cri.StatusResponse{Status: &cri.RuntimeStatus{Conditions: append([]*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: ready, Message: "not yet"},
	}, f.conditions...)}}, nil
}

func (f *fakeRuntime) ListPodSandbox(context.Context, *cri.ListPodSandboxRequest) (*cri.ListPodSandboxResponse, error) {
	answer := &cri.ListPodSandboxResponse{}
	for _, id := range f.pods {
		answer.Items = append(answer.Items, &cri.PodSandbox{Id: id})
	}
	return answer, nil
}

func (f *fakeRuntime) StopPodSandbox(_ context.Context, q *cri.StopPodSandboxRequest) (*cri.StopPodSandboxResponse, error) {
	if q.GetPodSandboxId() == f.stuck {
		return nil, errors.New("plugin failed")
	}
	return &cri.StopPodSandboxResponse{}, nil
}

func (f *fakeRuntime) RemovePodSandbox(_ context.Context, q *cri.RemovePodSandboxRequest) (*cri.RemovePodSandboxResponse, error) {
	f.removed = append(f.removed, q.GetPodSandboxId())
	return &cri.RemovePodSandboxResponse{}, nil
}

func (f *fakeRuntime) serve(t *testing.T) *Instance {
	t.Helper()
	i, err := New(Options{Name: "fake"})
	if err != nil {
		t.Fatal(err)
	}
	i.paths.socket = serve(t, func(s *grpc.Server) {
		cri.RegisterRuntimeServiceServer(s, f)
		versionapi.RegisterVersionServer(s, &fakeContainerd{})
	})
	return i
}

func self(t *testing.T) process {
	t.Helper()
	p, err := processOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var networkReady = &cri.RuntimeCondition{Type: cri.NetworkReady, Status: true}

func TestWaitReady(t *testing.T) {
	odd := &cri.RuntimeCondition{Type: "ContainerdHasNoDeprecationWarnings", Status: false, Message: "cgroup v1"}
	f := &fakeRuntime{readyAfter: 3, conditions: []*cri.RuntimeCondition{odd, networkReady}}
	version, err := f.serve(t).waitReady(t.Context(), self(t))
	if err != nil || version != "2.4.2" || f.calls.Load() != 4 {
		t.Errorf("version %q after %d calls, %v; want 2.4.2 after 4", version, f.calls.Load(), err)
	}
}

func TestWaitReadyEnds(t *testing.T) {
	down := &cri.RuntimeCondition{Type: cri.NetworkReady, Message: "cni plugin not initialized"}
	tests := map[string]struct {
		conditions []*cri.RuntimeCondition
		dead       bool
		want       error
		text       string
	}{
		"network stays down":  {conditions: []*cri.RuntimeCondition{down}, want: context.DeadlineExceeded, text: "cni plugin not initialized"},
		"network not told of": {want: context.DeadlineExceeded, text: cri.NetworkReady},
		"process ended":       {conditions: []*cri.RuntimeCondition{down}, dead: true, want: ErrDied, text: "before it answered"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			i := (&fakeRuntime{conditions: test.conditions}).serve(t)
			p := self(t)
			if test.dead {
				p = ended(t)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := i.waitReady(ctx, p)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %v with %q", err, test.want, test.text)
			}
		})
	}
}

// ended is a process that ran.
func ended(t *testing.T) process {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := processOf(cmd.Process.Pid)
	if err != nil || !p.alive() {
		t.Fatalf("process %+v is not alive (%v)", p, err)
	}
	i := &Instance{}
	done := make(chan error, 1)
	go func() { done <- i.killAll(t.Context(), []process{p}) }()
	_ = cmd.Wait() // killed
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRemovePods: one pod that cannot be removed does not keep the others.
func TestRemovePods(t *testing.T) {
	f := &fakeRuntime{pods: []string{"one", "two", "three"}, stuck: "two"}
	err := f.serve(t).removePods(t.Context())
	if err == nil || !strings.Contains(err.Error(), "two") || !strings.Contains(err.Error(), "plugin failed") {
		t.Errorf("error %v, want one about pod two", err)
	}
	if got := fmt.Sprint(f.removed); got != "[one three]" {
		t.Errorf("removed %s, want one and three", got)
	}
}
