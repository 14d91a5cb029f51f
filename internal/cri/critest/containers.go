package critest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CreateContainer checks what containerd checks here.
func (r *runtimeService) CreateContainer(_ context.Context, req *pb.CreateContainerRequest) (*pb.CreateContainerResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findSandbox(req.PodSandboxId)
	if b == nil {
		return nil, status.Errorf(codes.NotFound, "failed to find sandbox id %q: not found", req.PodSandboxId)
	}
	if !b.ready {
		return nil, status.Errorf(codes.Unknown, "failed to create containerd container: sandbox %q is not running", b.id)
	}
	name := containerName(req.Config, req.SandboxConfig)
	if id, taken := s.names[name]; taken {
		return nil, status.Errorf(s.reservedCode(),
			"failed to reserve container name %q: name %q is reserved for %q", name, name, id)
	}
	img := s.findImage(req.Config.GetImage().GetImage())
	if img == nil {
		return nil, status.Errorf(codes.NotFound, "failed to resolve image %q: not found", req.Config.GetImage().GetImage())
	}
	if err := s.checkContainer(req.Config, req.SandboxConfig); err != nil {
		return nil, err
	}
	c := &container{
		server: s, id: newID(), sandbox: b, pod: req.SandboxConfig, config: req.Config, image: img,
		created: time.Now(), exited: make(chan struct{}), serial: s.nextSerial(),
	}
	s.containers[c.id], s.names[name] = c, c.id
	s.tell(pb.ContainerEventType_CONTAINER_CREATED_EVENT, c.id, b)
	return &pb.CreateContainerResponse{ContainerId: c.id}, nil
}

func (s *Server) reservedCode() codes.Code {
	if s.profile.ReservedCode == codes.OK {
		return codes.Unknown
	}
	return s.profile.ReservedCode
}

func (s *Server) checkContainer(cfg *pb.ContainerConfig, pod *pb.PodSandboxConfig) error {
	if err := checkLabels(cfg.GetLabels()); err != nil {
		return err
	}
	if cfg.GetLinux().GetSecurityContext().GetPrivileged() && !pod.GetLinux().GetSecurityContext().GetPrivileged() {
		return status.Error(codes.Unknown, "failed to generate container spec: no privileged container allowed in sandbox")
	}
	for _, d := range cfg.GetDevices() {
		if s.lost[d.HostPath] {
			return status.Errorf(codes.Unknown, "failed to generate container spec: lstat %s: no such file or directory", d.HostPath)
		}
	}
	for _, m := range cfg.GetMounts() {
		// Also where a file was meant.
		if _, err := os.Stat(m.HostPath); os.IsNotExist(err) {
			if err := os.MkdirAll(m.HostPath, 0o755); err != nil {
				return status.Errorf(codes.Unknown, "failed to generate container spec: failed to mkdir %q: %v", m.HostPath, err)
			}
		}
	}
	return nil
}

// StartContainer works once in a container's life.
func (r *runtimeService) StartContainer(_ context.Context, req *pb.StartContainerRequest) (*pb.StartContainerResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findContainer(req.ContainerId)
	if c == nil {
		return nil, notFoundContainer(req.ContainerId)
	}
	if c.state != pb.ContainerState_CONTAINER_CREATED {
		return nil, status.Errorf(codes.Unknown, "failed to set starting state for container %q: container is in %s state", c.id, c.state)
	}
	for _, d := range c.config.GetDevices() {
		if d.Permissions == "" {
			return nil, c.failStart("device access at 1 field cannot be empty")
		}
	}
	p := &Process{
		Container: plainContainer(c.config), Sandbox: plainSandbox(c.pod), ID: c.id, SandboxIP: c.sandbox.ip,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := p.openLog(); err != nil {
		return nil, c.failStart("failed to create container loggers: " + err.Error())
	}
	c.process, c.state, c.started = p, pb.ContainerState_CONTAINER_RUNNING, time.Now()
	run := s.behaviour(c.config.GetMetadata().GetName())
	s.tell(pb.ContainerEventType_CONTAINER_STARTED_EVENT, c.id, c.sandbox)
	s.processes.Go(func() { s.live(c, run) })
	return &pb.StartContainerResponse{}, nil
}

func (c *container) failStart(text string) error {
	c.exit(128, "StartError")
	c.message = "failed to create containerd task: OCI runtime create failed: " + text
	return status.Error(codes.Unknown, c.message)
}

func (s *Server) behaviour(name string) func(*Process) int {
	if run := s.onStart[name]; run != nil {
		return run
	}
	if run := s.onStart[""]; run != nil {
		return run
	}
	return func(p *Process) int {
		select {
		case <-p.Stopped():
			return 143
		case <-p.Killed():
			return 137
		}
	}
}

// live runs a container's process to its end.
func (s *Server) live(c *container, run func(*Process) int) {
	code := run(c.process)
	s.mu.Lock()
	defer s.mu.Unlock()
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	c.exit(int32(code), reason)
}

// exit ends a container, once.
func (c *container) exit(code int32, reason string) {
	if c.state == pb.ContainerState_CONTAINER_EXITED {
		return
	}
	c.state, c.exitCode, c.reason, c.finished = pb.ContainerState_CONTAINER_EXITED, code, reason, time.Now()
	c.server.tell(pb.ContainerEventType_CONTAINER_STOPPED_EVENT, c.id, c.sandbox)
	if c.process != nil {
		c.process.killed()
		c.process.closeLog()
	}
	close(c.exited)
}

func (c *container) kill() {
	if c.state == pb.ContainerState_CONTAINER_RUNNING {
		c.exit(137, "Error")
	}
}

// RemoveContainer removes running containers by force.
func (r *runtimeService) RemoveContainer(_ context.Context, req *pb.RemoveContainerRequest) (*pb.RemoveContainerResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.findContainer(req.ContainerId); c != nil {
		c.kill()
		s.dropContainer(c)
	}
	return &pb.RemoveContainerResponse{}, nil
}

func (s *Server) dropContainer(c *container) {
	delete(s.containers, c.id)
	s.tell(pb.ContainerEventType_CONTAINER_DELETED_EVENT, c.id, c.sandbox)
	delete(s.names, containerName(c.config, c.pod))
}

// ContainerStatus implements CRI.
func (r *runtimeService) ContainerStatus(_ context.Context, req *pb.ContainerStatusRequest) (*pb.ContainerStatusResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findContainer(req.ContainerId)
	if c == nil {
		return nil, notFoundContainer(req.ContainerId)
	}
	return &pb.ContainerStatusResponse{Status: &pb.ContainerStatus{
		Id:          c.id,
		Metadata:    c.config.GetMetadata(),
		State:       c.state,
		CreatedAt:   c.created.UnixNano(),
		StartedAt:   nanos(c.started),
		FinishedAt:  nanos(c.finished),
		ExitCode:    c.exitCode,
		Image:       c.config.GetImage(),
		ImageRef:    c.image.id,
		Reason:      c.reason,
		Message:     c.message,
		Labels:      c.config.GetLabels(),
		Annotations: c.config.GetAnnotations(),
		LogPath:     logPath(plainSandbox(c.pod), plainContainer(c.config)),
	}}, nil
}

// ListContainers selects by id, sandbox, state and labels.
func (r *runtimeService) ListContainers(_ context.Context, req *pb.ListContainersRequest) (*pb.ListContainersResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	f := req.GetFilter()
	resp := &pb.ListContainersResponse{}
	for _, c := range s.containersInOrder() {
		if !strings.HasPrefix(c.id, f.GetId()) || !strings.HasPrefix(c.sandbox.id, f.GetPodSandboxId()) ||
			!selects(f.GetLabelSelector(), c.config.GetLabels()) {
			continue
		}
		if f.GetState() != nil && f.State.State != c.state {
			continue
		}
		resp.Containers = append(resp.Containers, &pb.Container{
			Id:           c.id,
			PodSandboxId: c.sandbox.id,
			Metadata:     c.config.GetMetadata(),
			Image:        c.config.GetImage(),
			ImageRef:     c.image.id,
			State:        c.state,
			CreatedAt:    c.created.UnixNano(),
			Labels:       c.config.GetLabels(),
			Annotations:  c.config.GetAnnotations(),
		})
	}
	return resp, nil
}

// ReopenContainerLog goes on in a new file, after a rotation has renamed the old.
func (r *runtimeService) ReopenContainerLog(_ context.Context, req *pb.ReopenContainerLogRequest) (*pb.ReopenContainerLogResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.findContainer(req.ContainerId)
	if c == nil {
		return nil, notFoundContainer(req.ContainerId)
	}
	if c.state != pb.ContainerState_CONTAINER_RUNNING {
		return nil, status.Error(codes.Unknown, "container is not running")
	}
	if err := c.process.openLog(); err != nil {
		return nil, status.Error(codes.Unknown, err.Error())
	}
	return &pb.ReopenContainerLogResponse{}, nil
}

func notFoundContainer(id string) error {
	return status.Errorf(codes.NotFound, "an error occurred when try to find container %q: not found", id)
}

// containerName is what containerd reserves: the sandbox's attempt is not in it.
func containerName(cfg *pb.ContainerConfig, pod *pb.PodSandboxConfig) string {
	c, p := cfg.GetMetadata(), pod.GetMetadata()
	return fmt.Sprintf("%s_%s_%s_%s_%d", c.GetName(), p.GetName(), p.GetNamespace(), p.GetUid(), c.GetAttempt())
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
