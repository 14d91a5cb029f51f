package containerd

import (
	"context"
	"errors"
	"testing"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"vmctl/internal/hint"
)

// fetching is a row as containerd lists it.
func fetching(ref string, offset, total int64) *contentapi.Status {
	return &contentapi.Status{Ref: ref, Offset: offset, Total: total}
}

func TestPullSum(t *testing.T) {
	type row = []*contentapi.Status
	steps := []struct {
		name   string
		listed row
		want   PullProgress
	}{
		{"nothing yet", nil, PullProgress{0, 0, StageResolving}},
		{"an import is no pull", row{fetching("import-1", 7, 9)}, PullProgress{0, 0, StageResolving}},
		{"manifest", row{fetching("manifest-sha256:a", 5, 10)}, PullProgress{5, 10, StageDownloading}},
		{"layers", row{fetching("layer-sha256:b", 100, 1000), fetching("layer-sha256:c", 0, 500)}, PullProgress{110, 1510, StageDownloading}},
		{"one layer is done", row{fetching("layer-sha256:b", 400, 1000)}, PullProgress{910, 1510, StageDownloading}},
		{"one begins anew", row{fetching("layer-sha256:b", 0, 1000)}, PullProgress{910, 1510, StageDownloading}},
		{"size unknown", row{fetching("layer-sha256:b", 900, 1000), fetching("layer-sha256:d", 30, 0)}, PullProgress{1440, 1540, StageDownloading}},
		{"all done", nil, PullProgress{1540, 1540, StageUnpacking}},
		{"another pull", row{fetching("layer-sha256:e", 1, 60)}, PullProgress{1541, 1600, StageDownloading}},
	}
	sum := newPullSum()
	for _, step := range steps {
		if diff := cmp.Diff(step.want, sum.add(step.listed)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

// fakeContainerd answers two calls of containerd's API.
type fakeContainerd struct {
	versionapi.UnimplementedVersionServer
	contentapi.UnimplementedContentServer
	answers chan *contentapi.ListStatusesResponse // closed: the service vanishes
}

func (f *fakeContainerd) Version(context.Context, *emptypb.Empty) (*versionapi.VersionResponse, error) {
	return &versionapi.VersionResponse{Version: "v2.4.2"}, nil
}

func (f *fakeContainerd) ListStatuses(ctx context.Context, _ *contentapi.ListStatusesRequest) (*contentapi.ListStatusesResponse, error) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	if names := incoming.Get("containerd-namespace"); len(names) != 1 || names[0] != "k8s.io" {
		return nil, status.Error(codes.FailedPrecondition, "namespace is required")
	}
	select {
	case answer, ok := <-f.answers:
		if !ok {
			return nil, status.Error(codes.Unavailable, "going down")
		}
		return answer, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func serveFake(t *testing.T) (*fakeContainerd, string) {
	t.Helper()
	f := &fakeContainerd{answers: make(chan *contentapi.ListStatusesResponse)}
	socket := serve(t, func(s *grpc.Server) {
		versionapi.RegisterVersionServer(s, f)
		contentapi.RegisterContentServer(s, f)
	})
	return f, socket
}

func TestWatchPullUntilCancelled(t *testing.T) {
	f, socket := serveFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan PullProgress)
	ended := make(chan error, 1)
	go func() {
		ended <- WatchPull(ctx, socket, time.Millisecond, func(p PullProgress) { got <- p })
	}()
	for n := range int64(3) {
		f.answers <- &contentapi.ListStatusesResponse{Statuses: []*contentapi.Status{fetching("layer-sha256:a", n, 3)}}
		if p := <-got; p.Done != n || p.Total != 3 {
			t.Errorf("report %d: %+v", n, p)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("a cancelled watch ends with %v, want success", err)
	}
}

func TestWatchPullFails(t *testing.T) {
	f, socket := serveFake(t)
	close(f.answers)
	if err := WatchPull(t.Context(), socket, time.Millisecond, func(PullProgress) {}); status.Code(err) != codes.Unavailable {
		t.Errorf("service gone: %v", err)
	}
	other := serve(t, func(*grpc.Server) {})
	err := WatchPull(t.Context(), other, time.Millisecond, func(PullProgress) { t.Error("reported") })
	if !errors.Is(err, ErrNotContainerd) || hint.Of(err) == "" {
		t.Errorf("another runtime: %v, hint %q; want ErrNotContainerd", err, hint.Of(err))
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-late.Done()
	if err := WatchPull(late, socket, time.Millisecond, func(PullProgress) {}); err == nil {
		t.Error("a watch whose time is over ends with success")
	}
}
