package cri

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// StopSandbox stops a sandbox and frees its network. Containers that still run
// are killed, by most runtimes at once: stop them first. An unknown id is success.
func (c *Client) StopSandbox(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	_, err := c.runtime.StopPodSandbox(ctx, &pb.StopPodSandboxRequest{PodSandboxId: id})
	if err := ignoreNotFound(fromRPC(ctx, err)); err != nil {
		return fmt.Errorf("stop sandbox %s: %w", shortID(id), err)
	}
	return nil
}

// RemoveSandbox removes a sandbox with all its containers, running ones too. An
// unknown id is success. A container whose start was broken off a moment ago is
// waited for: containerd does not remove it before it has undone the start.
func (c *Client) RemoveSandbox(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	for {
		_, err := c.runtime.RemovePodSandbox(ctx, &pb.RemovePodSandboxRequest{PodSandboxId: id})
		err = ignoreNotFound(fromRPC(ctx, err))
		if err == nil {
			return nil
		}
		err = fmt.Errorf("remove sandbox %s: %w", shortID(id), err)
		if !errors.Is(err, ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(settlePoll):
		}
	}
}

// Sandbox reads one sandbox with its addresses. An unknown id is ErrNotFound.
func (c *Client) Sandbox(ctx context.Context, id string) (SandboxStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.PodSandboxStatus(ctx, &pb.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
	if err != nil {
		return SandboxStatus{}, fmt.Errorf("sandbox %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return sandboxStatusFromPB(r), nil
}

// ListSandboxes lists the sandboxes that filter selects, in the runtime's order.
func (c *Client) ListSandboxes(ctx context.Context, filter SandboxFilter) ([]Sandbox, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.ListPodSandbox(ctx, &pb.ListPodSandboxRequest{
		Filter: &pb.PodSandboxFilter{Id: filter.ID, LabelSelector: filter.Labels},
	})
	if err != nil {
		return nil, fmt.Errorf("list sandboxes: %w", fromRPC(ctx, err))
	}
	list := make([]Sandbox, 0, len(r.Items))
	for _, p := range r.Items {
		list = append(list, sandboxFromPB(p))
	}
	return list, nil
}

func sandboxFromPB(p *pb.PodSandbox) Sandbox {
	return Sandbox{
		ID:             p.Id,
		Name:           p.GetMetadata().GetName(),
		Namespace:      p.GetMetadata().GetNamespace(),
		UID:            p.GetMetadata().GetUid(),
		Attempt:        p.GetMetadata().GetAttempt(),
		State:          SandboxState(p.State),
		CreatedAt:      unixNano(p.CreatedAt),
		Labels:         p.Labels,
		Annotations:    p.Annotations,
		RuntimeHandler: p.RuntimeHandler,
	}
}

func sandboxStatusFromPB(r *pb.PodSandboxStatusResponse) SandboxStatus {
	s := r.GetStatus()
	out := SandboxStatus{
		Sandbox: Sandbox{
			ID:             s.GetId(),
			Name:           s.GetMetadata().GetName(),
			Namespace:      s.GetMetadata().GetNamespace(),
			UID:            s.GetMetadata().GetUid(),
			Attempt:        s.GetMetadata().GetAttempt(),
			State:          SandboxState(s.GetState()),
			CreatedAt:      unixNano(s.GetCreatedAt()),
			Labels:         s.GetLabels(),
			Annotations:    s.GetAnnotations(),
			RuntimeHandler: s.GetRuntimeHandler(),
		},
		IP:        s.GetNetwork().GetIp(),
		NetNSPath: netNSPath(r.GetInfo()),
	}
	for _, ip := range s.GetNetwork().GetAdditionalIps() {
		out.AdditionalIPs = append(out.AdditionalIPs, ip.Ip)
	}
	return out
}

// netNSPath digs the network namespace out of the verbose status: containerd and
// CRI-O both print the sandbox's OCI spec under "info".
func netNSPath(info map[string]string) string {
	var v struct {
		RuntimeSpec struct {
			Linux struct {
				Namespaces []struct{ Type, Path string }
			}
		} `json:"runtimeSpec"`
	}
	if json.Unmarshal([]byte(info["info"]), &v) != nil {
		return ""
	}
	for _, ns := range v.RuntimeSpec.Linux.Namespaces {
		if ns.Type == "network" {
			return ns.Path
		}
	}
	return ""
}

// unixNano is the time of a CRI timestamp; 0, and what older runtimes send for
// "never", is the zero time.
func unixNano(ns int64) time.Time {
	if ns <= 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// shortID is an id as people know it from crictl.
func shortID(id string) string {
	const width = 13
	if len(id) > width {
		return id[:width]
	}
	return id
}
