package cri

import (
	"context"
	"fmt"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ContainerStats is one sample of what a container uses.
type ContainerStats struct {
	// Time is when the CPU was sampled; zero where the runtime told nothing, as of a
	// container that has ended.
	Time time.Time
	// CPUTime is the CPU time used since the container started, of all cores.
	CPUTime time.Duration
	// MemoryBytes is the working set; 0 where it is not known.
	MemoryBytes uint64
}

// ContainerStats samples what a running container uses. CPUTime is a counter:
// take two samples for a rate.
func (c *Client) ContainerStats(ctx context.Context, id string) (ContainerStats, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.ContainerStats(ctx, &pb.ContainerStatsRequest{ContainerId: id})
	if err != nil {
		return ContainerStats{}, fmt.Errorf("stats of container %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return containerStatsFromPB(r.GetStats()), nil
}

// ListContainerStats samples all containers that filter selects with one call. The samples
// are by the containers' ids; one that does not run has none, or an empty one.
func (c *Client) ListContainerStats(ctx context.Context, filter ContainerFilter) (map[string]ContainerStats, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.ListContainerStats(ctx, &pb.ListContainerStatsRequest{
		Filter: &pb.ContainerStatsFilter{Id: filter.ID, PodSandboxId: filter.SandboxID, LabelSelector: filter.Labels},
	})
	if err != nil {
		return nil, fmt.Errorf("stats of containers: %w", fromRPC(ctx, err))
	}
	out := make(map[string]ContainerStats, len(r.Stats))
	for _, s := range r.Stats {
		out[s.GetAttributes().GetId()] = containerStatsFromPB(s)
	}
	return out, nil
}

func containerStatsFromPB(s *pb.ContainerStats) ContainerStats {
	return ContainerStats{
		Time:        unixNano(s.GetCpu().GetTimestamp()),
		CPUTime:     time.Duration(s.GetCpu().GetUsageCoreNanoSeconds().GetValue()),
		MemoryBytes: s.GetMemory().GetWorkingSetBytes().GetValue(),
	}
}

// NetworkStats counts what went through the outer interface of a sandbox, since it was made.
type NetworkStats struct {
	Time    time.Time // of the sample
	RxBytes uint64    // into the sandbox
	TxBytes uint64    // out of it
}

// SandboxNetwork samples a sandbox's network. A runtime that does not tell is
// ErrUnimplemented: cri-dockerd, and any that answers without an interface.
//
// CPU and memory of a sandbox are left out on purpose: with the cgroupfs driver they are
// those of the cgroup parent, which all machines share. The list of all sandboxes is not
// asked for because containerd refuses it whole when one sandbox of anybody has no cgroup
// parent (containerd internal/cri/server/sandbox_stats_linux.go).
func (c *Client) SandboxNetwork(ctx context.Context, id string) (NetworkStats, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.PodSandboxStats(ctx, &pb.PodSandboxStatsRequest{PodSandboxId: id})
	if err != nil {
		return NetworkStats{}, fmt.Errorf("network of sandbox %s: %w", shortID(id), fromRPC(ctx, err))
	}
	network := r.GetStats().GetLinux().GetNetwork()
	outer := outerInterface(network)
	if outer == nil {
		return NetworkStats{}, fmt.Errorf("network of sandbox %s: %w", shortID(id), ErrUnimplemented)
	}
	out := NetworkStats{Time: unixNano(network.GetTimestamp()), RxBytes: outer.GetRxBytes().GetValue(), TxBytes: outer.GetTxBytes().GetValue()}
	if out.Time.IsZero() { // containerd 1.6
		out.Time = time.Now()
	}
	return out, nil
}

// outerInterface is the one that leads out of the sandbox. CRI-O calls the loopback the
// default one; containerd lists the guest's bridge inside the sandbox too.
func outerInterface(n *pb.NetworkUsage) *pb.NetworkInterfaceUsage {
	const usual, loopback = "eth0", "lo"
	all := n.GetInterfaces()
	if d := n.GetDefaultInterface(); d != nil {
		all = append([]*pb.NetworkInterfaceUsage{d}, all...)
	}
	for _, i := range all {
		if i.GetName() == usual {
			return i
		}
	}
	for _, i := range all {
		if i.GetName() != loopback {
			return i
		}
	}
	return nil
}
