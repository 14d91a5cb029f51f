package containerd

import (
	"context"
	"errors"
	"fmt"
	"time"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"vmctl/internal/hint"
)

// criNamespace is the containerd namespace in which everything of CRI lives.
const criNamespace = "k8s.io"

// maxMessage is containerd's own limit on a message, in bytes; gRPC's default of
// 4 MiB for answers is less.
const maxMessage = 16 << 20

// connect prepares a connection to the unix socket. It is made at the first call.
func connect(socket string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("unix://"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect to %q: %w", socket, err)
	}
	return conn, nil
}

// connectContainerd connects and makes sure that it is containerd who answers.
func connectContainerd(ctx context.Context, socket string) (*grpc.ClientConn, string, error) {
	conn, err := connect(socket)
	if err != nil {
		return nil, "", err
	}
	version, err := containerdVersion(ctx, conn)
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("%q: %w", socket, err), conn.Close())
	}
	return conn, version, nil
}

// contextError is why the context has ended, nil while it has not. The clock is asked
// too: others may notice a deadline a moment before the context does.
func contextError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// containerdVersion asks the daemon. A runtime that does not know the call is
// ErrNotContainerd.
func containerdVersion(ctx context.Context, conn grpc.ClientConnInterface) (string, error) {
	answer, err := versionapi.NewVersionClient(conn).Version(ctx, &emptypb.Empty{})
	switch {
	case status.Code(err) == codes.Unimplemented:
		return "", hint.With(ErrNotContainerd,
			"load the image with the tool of that runtime: for CRI-O, skopeo copy docker-archive:FILE containers-storage:NAME; for Docker, docker load -i FILE")
	case err != nil:
		return "", fmt.Errorf("ask containerd for its version: %w", err)
	}
	return cleanVersion(answer.GetVersion()), nil
}
