package critest

import (
	"context"
	"fmt"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// runtimeService is CRI's RuntimeService. What it does not define answers
// Unimplemented, as GetContainerEvents does on containerd 1.6.
type runtimeService struct {
	pb.UnimplementedRuntimeServiceServer
	s *Server
}

// containerdVersion is containerd's own version service.
type containerdVersion struct {
	versionapi.UnimplementedVersionServer
	version string
}

// Version implements containerd.services.version.v1.
func (v containerdVersion) Version(context.Context, *emptypb.Empty) (*versionapi.VersionResponse, error) {
	return &versionapi.VersionResponse{Version: v.version}, nil
}

// Version implements CRI.
func (r *runtimeService) Version(context.Context, *pb.VersionRequest) (*pb.VersionResponse, error) {
	return &pb.VersionResponse{
		Version:           "0.1.0",
		RuntimeName:       r.s.profile.Name,
		RuntimeVersion:    r.s.profile.Version,
		RuntimeApiVersion: "v1",
	}, nil
}

// Status implements CRI, with a condition of containerd 2.x that CRI does not
// define.
func (r *runtimeService) Status(_ context.Context, req *pb.StatusRequest) (*pb.StatusResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	network := &pb.RuntimeCondition{Type: pb.NetworkReady, Status: true}
	if s.networkError != "" {
		network = &pb.RuntimeCondition{
			Type:    pb.NetworkReady,
			Reason:  "NetworkPluginNotReady",
			Message: "Network plugin returns error: " + s.networkError,
		}
	}
	resp := &pb.StatusResponse{Status: &pb.RuntimeStatus{Conditions: []*pb.RuntimeCondition{
		{Type: pb.RuntimeReady, Status: true},
		network,
		{Type: "ContainerdHasNoDeprecationWarnings", Reason: "ContainerdHasDeprecationWarnings"},
	}}}
	if req.Verbose {
		resp.Info = map[string]string{"config": fmt.Sprintf(
			`{"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"options":{"SystemdCgroup":%t}}}},"sandboxImage":%q}`,
			s.profile.SystemdCgroup, s.profile.SandboxImage)}
	}
	return resp, nil
}

// RuntimeConfig is not there before containerd 2.
func (r *runtimeService) RuntimeConfig(context.Context, *pb.RuntimeConfigRequest) (*pb.RuntimeConfigResponse, error) {
	if !r.s.profile.RuntimeConfig {
		return nil, status.Error(codes.Unimplemented, "unknown method RuntimeConfig for service runtime.v1.RuntimeService")
	}
	driver := pb.CgroupDriver_CGROUPFS
	if r.s.profile.SystemdCgroup {
		driver = pb.CgroupDriver_SYSTEMD
	}
	return &pb.RuntimeConfigResponse{Linux: &pb.LinuxRuntimeConfiguration{CgroupDriver: driver}}, nil
}
