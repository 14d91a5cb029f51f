package critest

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// GetContainerEvents is containerd 2's: events from now on, to everybody who asks. CRI-O
// ends the stream at once unless its configuration says otherwise, and containerd 1.6 does
// not know the call.
func (r *runtimeService) GetContainerEvents(_ *pb.GetEventsRequest, stream grpc.ServerStreamingServer[pb.ContainerEventResponse]) error {
	s := r.s
	switch {
	case s.profile.Name == "cri-o":
		return nil
	case !s.profile.Events:
		return status.Error(codes.Unimplemented, "method GetContainerEvents not implemented")
	}
	events := make(chan *pb.ContainerEventResponse, 1000)
	s.mu.Lock()
	s.listeners[events] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, events)
	}()
	for {
		select {
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		case e := <-events:
			if err := stream.Send(e); err != nil {
				return err
			}
		}
	}
}

// Listeners is how many streams of events are open.
func (s *Server) Listeners() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.listeners)
}

// tell is called with the lock held. Who does not keep up misses events.
func (s *Server) tell(what pb.ContainerEventType, id string, b *sandbox) {
	state := pb.PodSandboxState_SANDBOX_NOTREADY
	if b.ready {
		state = pb.PodSandboxState_SANDBOX_READY
	}
	e := &pb.ContainerEventResponse{ContainerId: id, ContainerEventType: what, CreatedAt: time.Now().UnixNano(),
		PodSandboxStatus: &pb.PodSandboxStatus{Id: b.id, Metadata: b.config.GetMetadata(), State: state, Labels: b.config.GetLabels()}}
	for events := range s.listeners {
		select {
		case events <- e:
		default:
		}
	}
}
