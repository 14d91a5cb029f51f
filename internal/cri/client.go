package cri

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// maxMessage is containerd's own bound on a message; gRPC's default of 4 MiB is
// passed by a long list (containerd docs, max_send_message_size).
const maxMessage = 16 << 20

// Limits of one call, so that a runtime that hangs becomes ErrTimeout. Pulls have
// none: a cancelled pull starts from zero again.
const (
	quickLimit = 30 * time.Second // answers from the runtime's memory
	workLimit  = 4 * time.Minute  // starts or ends processes; the kubelet's limit for a sandbox
	stopSlack  = 30 * time.Second // on top of the grace that StopContainer was given
	dialLimit  = 10 * time.Second
)

// Client is a connection to one runtime. It is safe for concurrent use.
type Client struct {
	conn     *grpc.ClientConn
	endpoint string
	runtime  pb.RuntimeServiceClient
	images   pb.ImageServiceClient
	name     string // runtime name, as told at Dial
}

// Dial connects to endpoint, "unix:///path" or a path (made absolute), and proves
// the connection with a Version call before it hands the client out.
//
// Errors match ErrEndpoint, ErrUnavailable (nothing there, or nothing listens), ErrPermission,
// ErrCRIDisabled, ErrUnimplemented (a runtime too old for CRI v1) or ErrTimeout.
func Dial(ctx context.Context, endpoint string) (*Client, error) {
	address, err := normalizeEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(reconnect()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect to %q: %w", address, err)
	}
	c := &Client{
		conn:     conn,
		endpoint: address,
		runtime:  pb.NewRuntimeServiceClient(conn),
		images:   pb.NewImageServiceClient(conn),
	}
	if err := c.prove(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to %q: %w", address, err)
	}
	return c, nil
}

// Close ends the connection. Sandboxes and containers are not touched.
func (c *Client) Close() error { return c.conn.Close() }

// Endpoint is the address of the runtime as "unix:///path".
func (c *Client) Endpoint() string { return c.endpoint }

func (c *Client) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	v, err := c.Version(ctx)
	if err != nil {
		return explainDial(ctx, c.conn, c.endpoint, err)
	}
	c.name = v.RuntimeName
	return nil
}

// reconnect is how soon a client that outlives a restart of the daemon tries
// again. gRPC's own limit of two minutes is meant for networks.
func reconnect() grpc.ConnectParams {
	b := backoff.DefaultConfig
	b.BaseDelay, b.MaxDelay = 100*time.Millisecond, time.Second
	return grpc.ConnectParams{Backoff: b, MinConnectTimeout: 5 * time.Second}
}

// normalizeEndpoint makes "unix:///abs/path" out of what people write. gRPC takes
// the first element of a relative unix path for a host name.
func normalizeEndpoint(endpoint string) (string, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(endpoint, "unix:"), "//")
	if path == "" || strings.Contains(path, "://") {
		return "", fmt.Errorf("%w: %q; want unix:///path/to/socket", ErrEndpoint, endpoint)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	return "unix://" + abs, nil
}
