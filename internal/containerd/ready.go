package containerd

import (
	"context"
	"errors"
	"fmt"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// waitReady waits until the runtime says that it and its network are ready, and
// returns containerd's version. The error is ErrDied if the process ends first.
func (i *Instance) waitReady(ctx context.Context, p process) (string, error) {
	conn, err := connect(i.paths.socket)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	client := cri.NewRuntimeServiceClient(conn)
	var last error
	for {
		err := readiness(ctx, client)
		if err == nil {
			return containerdVersion(ctx, conn)
		}
		if last == nil || ctx.Err() == nil { // a call that was cut off says less than the one before
			last = err
		}
		if !p.alive() {
			return "", fmt.Errorf("%w before it answered", ErrDied)
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(fmt.Errorf("containerd is not ready: %w", last), ctx.Err())
		case <-time.After(pollInterval):
			conn.ResetConnectBackoff()
		}
	}
}

// readiness is nil once all required conditions hold. Conditions of other names
// tell of deprecations and the like.
func readiness(ctx context.Context, client cri.RuntimeServiceClient) error {
	const oneCall = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, oneCall)
	defer cancel()
	answer, err := client.Status(ctx, &cri.StatusRequest{})
	if err != nil {
		return err
	}
	missing := map[string]bool{cri.RuntimeReady: true, cri.NetworkReady: true}
	for _, c := range answer.GetStatus().GetConditions() {
		if c.GetStatus() {
			delete(missing, c.GetType())
		} else if missing[c.GetType()] {
			return fmt.Errorf("%s is false: %s", c.GetType(), c.GetMessage())
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("it tells nothing of %v", missing)
	}
	return nil
}
