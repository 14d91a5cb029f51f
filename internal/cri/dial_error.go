package cri

import (
	"context"
	"errors"
	"fmt"
	"strings"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"vmctl/internal/hint"
)

// explainDial says what a failed Version call means for the person who chose the
// endpoint.
func explainDial(ctx context.Context, conn *grpc.ClientConn, endpoint string, err error) error {
	path := strings.TrimPrefix(endpoint, "unix://")
	switch {
	case errors.Is(err, ErrPermission):
		return hint.With(err, "only some users may use this socket, see: ls -l %s (or run with sudo)", path)
	case errors.Is(err, ErrUnavailable):
		return hint.With(err, "is the runtime running? A private one: sudo vmctl runtime start")
	case errors.Is(err, ErrUnimplemented):
		return explainNoCRI(ctx, conn, err)
	}
	return err
}

// explainNoCRI tells a containerd without CRI from something else on the socket.
// Docker's containerd.io package ships `disabled_plugins = ["cri"]`
// (docker/containerd-packaging common/containerd.toml); such a daemon still
// answers containerd's own version call.
func explainNoCRI(ctx context.Context, conn *grpc.ClientConn, err error) error {
	v, verr := versionapi.NewVersionClient(conn).Version(ctx, &emptypb.Empty{})
	if verr != nil {
		return hint.With(err, "this socket is not a CRI v1 runtime; name another one with --runtime-endpoint")
	}
	disabled := &rpcError{
		text:  fmt.Sprintf("%v (version %s)", ErrCRIDisabled, v.GetVersion()),
		kinds: []error{ErrCRIDisabled},
	}
	return hint.With(disabled, `remove "cri" from disabled_plugins in /etc/containerd/config.toml and restart containerd, `+
		"or leave it alone and use a private one: sudo vmctl runtime start")
}
