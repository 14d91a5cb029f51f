package containerd

import (
	"context"
	"errors"
	"fmt"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// podLimit is how long the removal of one pod may take.
const podLimit = time.Minute

// removePods removes all pods of the daemon through CRI: only so are their
// addresses and firewall rules given back by the CNI plugins.
func (i *Instance) removePods(ctx context.Context) error {
	conn, err := connect(i.paths.socket)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	client := cri.NewRuntimeServiceClient(conn)
	listing, cancel := context.WithTimeout(ctx, podLimit)
	defer cancel()
	list, err := client.ListPodSandbox(listing, &cri.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	var errs []error
	for _, pod := range list.GetItems() {
		if err := removePod(ctx, client, pod.GetId()); err != nil {
			errs = append(errs, fmt.Errorf("remove pod %.13q: %w", pod.GetId(), err))
		}
	}
	return errors.Join(errs...)
}

func removePod(ctx context.Context, client cri.RuntimeServiceClient, id string) error {
	ctx, cancel := context.WithTimeout(ctx, podLimit)
	defer cancel()
	if _, err := client.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: id}); err != nil {
		return err
	}
	_, err := client.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
	return err
}
