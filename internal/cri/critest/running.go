package critest

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// StopContainer is containerd's: the signal is sent once in a life, the kill
// comes only while a caller still waits, and no time at all is a kill.
func (r *runtimeService) StopContainer(ctx context.Context, req *pb.StopContainerRequest) (*pb.StopContainerResponse, error) {
	s := r.s
	s.mu.Lock()
	c := s.findContainer(req.ContainerId)
	if c == nil {
		s.mu.Unlock()
		if s.profile.UnknownIDCode != codes.OK {
			return nil, notFoundContainer(req.ContainerId)
		}
		return &pb.StopContainerResponse{}, nil
	}
	if c.state != pb.ContainerState_CONTAINER_RUNNING {
		s.mu.Unlock()
		return &pb.StopContainerResponse{}, nil
	}
	if req.Timeout > 0 && !c.stopAsked {
		c.stopAsked = true
		c.process.signal()
	}
	s.mu.Unlock()

	if req.Timeout > 0 {
		grace := time.NewTimer(time.Duration(req.Timeout) * time.Second)
		defer grace.Stop()
		select {
		case <-c.exited:
			return &pb.StopContainerResponse{}, nil
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-grace.C:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.kill()
	return &pb.StopContainerResponse{}, nil
}

// ExecSync runs what OnExec has arranged.
func (r *runtimeService) ExecSync(ctx context.Context, req *pb.ExecSyncRequest) (*pb.ExecSyncResponse, error) {
	s := r.s
	s.mu.Lock()
	c, err := s.running(req.ContainerId)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	run := s.execBehaviour(c)
	call := ExecCall{Process: c.process, Cmd: req.Cmd, Timeout: time.Duration(req.Timeout) * time.Second}
	s.mu.Unlock()
	done := make(chan ExecResult, 1)
	go func() { done <- run(call) }()
	select {
	case res := <-done:
		if res.TimedOut {
			return nil, status.Errorf(codes.DeadlineExceeded, "failed to exec in container: timeout %v exceeded: context deadline exceeded", call.Timeout)
		}
		return &pb.ExecSyncResponse{Stdout: res.Stdout, Stderr: res.Stderr, ExitCode: int32(res.ExitCode)}, nil
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// running finds a container to run a command in.
func (s *Server) running(id string) (*container, error) {
	c := s.findContainer(id)
	if c == nil {
		return nil, notFoundContainer(id)
	}
	if c.state != pb.ContainerState_CONTAINER_RUNNING {
		return nil, status.Errorf(codes.Unknown, "failed to exec in container: container is in %s state", c.state)
	}
	return c, nil
}

func (s *Server) execBehaviour(c *container) func(ExecCall) ExecResult {
	if run := s.onExec[c.config.GetMetadata().GetName()]; run != nil {
		return run
	}
	if run := s.onExec[""]; run != nil {
		return run
	}
	return func(ExecCall) ExecResult { return ExecResult{} }
}
