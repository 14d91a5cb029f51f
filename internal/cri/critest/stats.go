package critest

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// ContainerStats makes numbers up that grow: see Server.Use.
func (r *runtimeService) ContainerStats(_ context.Context, req *pb.ContainerStatsRequest) (*pb.ContainerStatsResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findContainer(req.ContainerId)
	if c == nil {
		return nil, notFoundContainer(req.ContainerId)
	}
	return &pb.ContainerStatsResponse{Stats: s.statsOf(c)}, nil
}

// ListContainerStats tells of all containers, and of those that do not run nothing, as
// containerd does.
func (r *runtimeService) ListContainerStats(_ context.Context, req *pb.ListContainerStatsRequest) (*pb.ListContainerStatsResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	f := req.GetFilter()
	resp := &pb.ListContainerStatsResponse{}
	for _, c := range s.containersInOrder() {
		if selects(f.GetLabelSelector(), c.config.GetLabels()) &&
			(f.GetId() == "" || f.GetId() == c.id) && (f.GetPodSandboxId() == "" || f.GetPodSandboxId() == c.sandbox.id) {
			resp.Stats = append(resp.Stats, s.statsOf(c))
		}
	}
	return resp, nil
}

// Use says what share of a core containers use from now on; 1 at the start.
func (s *Server) Use(cores float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, c := range s.containers {
		c.used, c.usedAt = s.usage(c, now), now
	}
	s.cores = cores
}

// usage is the CPU time of a container.
func (s *Server) usage(c *container, now time.Time) time.Duration {
	if c.started.IsZero() {
		return 0
	}
	since := c.usedAt
	if since.Before(c.started) {
		since = c.started
	}
	return c.used + time.Duration(float64(now.Sub(since))*s.cores)
}

func (s *Server) statsOf(c *container) *pb.ContainerStats {
	stats := &pb.ContainerStats{Attributes: &pb.ContainerAttributes{Id: c.id, Metadata: c.config.GetMetadata(), Labels: c.config.GetLabels()}}
	if c.state == pb.ContainerState_CONTAINER_RUNNING {
		now := time.Now()
		stats.Cpu = &pb.CpuUsage{Timestamp: now.UnixNano(), UsageCoreNanoSeconds: &pb.UInt64Value{Value: uint64(s.usage(c, now))}}
		stats.Memory = &pb.MemoryUsage{Timestamp: now.UnixNano(), WorkingSetBytes: &pb.UInt64Value{Value: 64 << 20}}
	}
	return stats
}

// PodSandboxStats counts a kilobyte in and two out for each second of a sandbox's life. A
// sandbox without a cgroup parent has none, as with containerd.
func (r *runtimeService) PodSandboxStats(_ context.Context, req *pb.PodSandboxStatsRequest) (*pb.PodSandboxStatsResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findSandbox(req.PodSandboxId)
	if b == nil {
		return nil, status.Errorf(codes.NotFound, "an error occurred when trying to find sandbox: not found")
	}
	if b.config.GetLinux().GetCgroupParent() == "" {
		return nil, status.Errorf(codes.Unknown, "failed to get pod sandbox stats: sandbox %q has no cgroup parent", b.id)
	}
	now := time.Now()
	seconds := now.Sub(b.created).Seconds()
	stats := &pb.PodSandboxStats{Attributes: &pb.PodSandboxAttributes{Id: b.id, Metadata: b.config.GetMetadata()}, Linux: &pb.LinuxPodSandboxStats{}}
	if b.ready {
		stats.Linux.Network = &pb.NetworkUsage{Timestamp: now.UnixNano(), DefaultInterface: &pb.NetworkInterfaceUsage{Name: "eth0",
			RxBytes: &pb.UInt64Value{Value: uint64(1000 * seconds)}, TxBytes: &pb.UInt64Value{Value: uint64(2000 * seconds)}}}
	}
	return &pb.PodSandboxStatsResponse{Stats: stats}, nil
}
