package critest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	maxLabel    = 4096 // key and value together (containerd)
	maxHostname = 64   // sethostname(2)
)

// RunPodSandbox keeps the name reserved until the sandbox is removed.
func (r *runtimeService) RunPodSandbox(_ context.Context, req *pb.RunPodSandboxRequest) (*pb.RunPodSandboxResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := req.GetConfig()
	name := sandboxName(cfg)
	if id, taken := s.names[name]; taken {
		if s.profile.ReservedCode == codes.OK {
			return &pb.RunPodSandboxResponse{PodSandboxId: id}, nil
		}
		return nil, status.Errorf(s.profile.ReservedCode,
			"failed to reserve sandbox name %q: name %q is reserved for %q", name, name, id)
	}
	if err := checkSandbox(cfg, req.RuntimeHandler); err != nil {
		return nil, err
	}
	b := &sandbox{
		id: newID(), config: cfg, handler: req.RuntimeHandler,
		created: time.Now(), ready: true, serial: s.nextSerial(),
	}
	if s.networkError != "" {
		if s.profile.KeepsFailedSandbox {
			b.ready = false
			s.sandboxes[b.id], s.names[name] = b, b.id
		}
		return nil, status.Errorf(codes.Unknown, "failed to setup network for sandbox %q: %s", b.id, s.networkError)
	}
	b.ip = s.nextIP()
	s.sandboxes[b.id], s.names[name] = b, b.id
	s.tell(pb.ContainerEventType_CONTAINER_CREATED_EVENT, b.id, b)
	s.tell(pb.ContainerEventType_CONTAINER_STARTED_EVENT, b.id, b)
	return &pb.RunPodSandboxResponse{PodSandboxId: b.id}, nil
}

func checkSandbox(cfg *pb.PodSandboxConfig, handler string) error {
	if err := checkLabels(cfg.GetLabels()); err != nil {
		return err
	}
	if handler != "" && handler != "runc" {
		return status.Errorf(codes.Unknown, "failed to get sandbox runtime: no runtime for %q is configured", handler)
	}
	if len(cfg.GetHostname()) > maxHostname {
		return status.Error(codes.Unknown, "failed to create containerd task: runc create failed: sethostname: invalid argument")
	}
	return nil
}

func checkLabels(labels map[string]string) error {
	for k, v := range labels {
		if len(k)+len(v) > maxLabel {
			return status.Errorf(codes.InvalidArgument,
				"label key and value length (%d bytes) greater than maximum size (%d bytes), key: %s: invalid argument", len(k)+len(v), maxLabel, k[:10])
		}
	}
	return nil
}

// StopPodSandbox kills what runs, at once.
func (r *runtimeService) StopPodSandbox(_ context.Context, req *pb.StopPodSandboxRequest) (*pb.StopPodSandboxResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findSandbox(req.PodSandboxId)
	if b == nil {
		if s.profile.UnknownIDCode != codes.OK {
			return nil, status.Errorf(s.profile.UnknownIDCode,
				"an error occurred when try to find sandbox %q: not found", req.PodSandboxId)
		}
		return &pb.StopPodSandboxResponse{}, nil
	}
	s.stopSandbox(b)
	return &pb.StopPodSandboxResponse{}, nil
}

func (s *Server) stopSandbox(b *sandbox) {
	for _, c := range s.containers {
		if c.sandbox == b {
			c.kill()
		}
	}
	if b.ready {
		s.tell(pb.ContainerEventType_CONTAINER_STOPPED_EVENT, b.id, b)
	}
	b.ready, b.ip = false, ""
}

// RemovePodSandbox takes the containers along, running ones too.
func (r *runtimeService) RemovePodSandbox(_ context.Context, req *pb.RemovePodSandboxRequest) (*pb.RemovePodSandboxResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findSandbox(req.PodSandboxId)
	if b == nil {
		return &pb.RemovePodSandboxResponse{}, nil
	}
	s.stopSandbox(b)
	for _, c := range s.containers {
		if c.sandbox == b {
			s.dropContainer(c)
		}
	}
	delete(s.sandboxes, b.id)
	s.tell(pb.ContainerEventType_CONTAINER_DELETED_EVENT, b.id, b)
	delete(s.names, sandboxName(b.config))
	return &pb.RemovePodSandboxResponse{}, nil
}

// PodSandboxStatus tells, when verbose, the path of the network namespace where
// containerd and CRI-O tell it. It is made up.
func (r *runtimeService) PodSandboxStatus(_ context.Context, req *pb.PodSandboxStatusRequest) (*pb.PodSandboxStatusResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findSandbox(req.PodSandboxId)
	if b == nil {
		return nil, status.Errorf(codes.NotFound, "an error occurred when try to find sandbox %q: not found", req.PodSandboxId)
	}
	resp := &pb.PodSandboxStatusResponse{Status: &pb.PodSandboxStatus{
		Id:             b.id,
		Metadata:       b.config.GetMetadata(),
		State:          b.pbState(),
		CreatedAt:      b.created.UnixNano(),
		Network:        &pb.PodSandboxNetworkStatus{Ip: b.ip},
		Labels:         b.config.GetLabels(),
		Annotations:    b.config.GetAnnotations(),
		RuntimeHandler: b.handler,
	}}
	if req.Verbose {
		resp.Info = map[string]string{"info": fmt.Sprintf(
			`{"pid":0,"runtimeSpec":{"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/run/netns/cni-%s"}]}}}`, b.id[:12])}
	}
	return resp, nil
}

// ListPodSandbox selects by id, state and labels.
func (r *runtimeService) ListPodSandbox(_ context.Context, req *pb.ListPodSandboxRequest) (*pb.ListPodSandboxResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	f := req.GetFilter()
	resp := &pb.ListPodSandboxResponse{}
	for _, b := range s.sandboxesInOrder() {
		if !strings.HasPrefix(b.id, f.GetId()) || !selects(f.GetLabelSelector(), b.config.GetLabels()) {
			continue
		}
		if f.GetState() != nil && f.State.State != b.pbState() {
			continue
		}
		resp.Items = append(resp.Items, &pb.PodSandbox{
			Id:             b.id,
			Metadata:       b.config.GetMetadata(),
			State:          b.pbState(),
			CreatedAt:      b.created.UnixNano(),
			Labels:         b.config.GetLabels(),
			Annotations:    b.config.GetAnnotations(),
			RuntimeHandler: b.handler,
		})
	}
	return resp, nil
}

func (b *sandbox) pbState() pb.PodSandboxState {
	if b.ready {
		return pb.PodSandboxState_SANDBOX_READY
	}
	return pb.PodSandboxState_SANDBOX_NOTREADY
}

func (s *Server) nextIP() string {
	s.lastIP++
	if s.lastIP == 0 || s.lastIP == 255 {
		s.lastIP = 2
	}
	return fmt.Sprintf("127.%d.%d.%d", s.network[0], s.network[1], s.lastIP)
}

// sandboxName is what containerd reserves.
func sandboxName(cfg *pb.PodSandboxConfig) string {
	m := cfg.GetMetadata()
	return fmt.Sprintf("%s_%s_%s_%d", m.GetName(), m.GetNamespace(), m.GetUid(), m.GetAttempt())
}

func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}
