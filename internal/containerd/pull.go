package containerd

import (
	"context"
	"errors"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// WatchPull reports every interval how far the pulls have come that go on in the
// containerd on socket, until ctx ends, which is success. It begins at zero; Done
// never goes back. CRI itself tells nothing of a pull before its end.
//
// All pulls of the runtime are summed up, because containerd does not tell whose
// layer it fetches. A socket that is not containerd's gives ErrNotContainerd.
func WatchPull(ctx context.Context, socket string, interval time.Duration, fn func(PullProgress)) error {
	conn, _, err := connectContainerd(ctx, socket)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	client, store := contentapi.NewContentClient(conn), proxy.NewContentStore(conn)
	call := metadata.AppendToOutgoingContext(ctx, namespaces.GRPCHeader, criNamespace)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	sum := newPullSum()
	for {
		answer, err := client.ListStatuses(call, &contentapi.ListStatusesRequest{})
		switch {
		case status.Code(err) == codes.Unimplemented:
			return ErrNotContainerd
		case err != nil:
			return unlessEnded(ctx, err)
		}
		listed := answer.GetStatuses()
		sum.learn(call, store, refsOf(listed))
		fn(sum.add(listed))
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// unlessEnded is err, or nil if it only says that ctx was cancelled.
func unlessEnded(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	return err
}
