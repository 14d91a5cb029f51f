package cri

import (
	"context"
	"fmt"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Exec runs cmd in a running container without input and returns what it printed,
// at most 16 MiB a stream, and its exit code. A command that ran and failed is
// not an error. After timeout the command is killed and the error is ErrTimeout;
// 0 is no limit but ctx's.
func (c *Client) Exec(ctx context.Context, id string, cmd []string, timeout time.Duration) (ExecResult, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout+stopSlack)
		defer cancel()
	}
	r, err := c.runtime.ExecSync(ctx, &pb.ExecSyncRequest{ContainerId: id, Cmd: cmd, Timeout: ceilSeconds(timeout)})
	if err != nil {
		return ExecResult{}, fmt.Errorf("exec in container %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return ExecResult{Stdout: r.Stdout, Stderr: r.Stderr, ExitCode: int(r.ExitCode)}, nil
}
