package cri

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// EventType is what happened to a container or sandbox, with CRI's numbers.
type EventType int32

// The events of CRI v1.
const (
	EventCreated EventType = 0
	EventStarted EventType = 1
	EventStopped EventType = 2
	EventDeleted EventType = 3
)

// Event is something that happened to a container or a sandbox.
type Event struct {
	Type EventType
	Time time.Time
	// ID is the container's; it is also SandboxID where it happened to the sandbox itself.
	ID        string
	SandboxID string            // empty where the runtime does not tell, as of one that is gone
	Labels    map[string]string // of the sandbox
}

// Events calls tell for each event of the runtime from now on, of everybody's containers,
// until ctx ends or the stream breaks; the error says which. Before the first event it calls
// tell with nil, when the runtime has taken the request, if it says so at all.
//
// ErrUnimplemented is a runtime without events: containerd before 1.7, cri-dockerd, and
// CRI-O unless enable_pod_events is on, which ends the stream at once. containerd 1.7 has
// one queue for all callers, so that beside a kubelet events go amiss: look now and then.
func (c *Client) Events(ctx context.Context, tell func(*Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.runtime.GetContainerEvents(ctx, &pb.GetEventsRequest{})
	if err != nil {
		return fmt.Errorf("events: %w", fromRPC(ctx, err))
	}
	tell(nil)
	for seen := false; ; seen = true {
		r, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && !seen:
			return fmt.Errorf("events: %w", ErrUnimplemented)
		case errors.Is(err, io.EOF):
			return fmt.Errorf("events: %w", ErrUnavailable)
		case err != nil:
			return fmt.Errorf("events: %w", fromRPC(ctx, err))
		}
		s := r.GetPodSandboxStatus()
		tell(&Event{Type: EventType(r.ContainerEventType), Time: unixNano(r.CreatedAt), ID: r.ContainerId, SandboxID: s.GetId(), Labels: s.GetLabels()})
	}
}
