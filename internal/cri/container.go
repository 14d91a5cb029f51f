package cri

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// CreateContainer makes a container in a sandbox and returns its id. sandbox must
// be the very config that RunSandbox was given: runtimes take the log directory
// and the cgroup parent from it again. A container starts once; make a new one
// (with a higher Attempt) to start again.
//
// The image must be present: ErrNotFound otherwise.
func (c *Client) CreateContainer(ctx context.Context, sandboxID string, cfg ContainerConfig, sandbox SandboxConfig) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	r, err := c.runtime.CreateContainer(ctx, &pb.CreateContainerRequest{
		PodSandboxId:  sandboxID,
		Config:        cfg.toPB(),
		SandboxConfig: sandbox.toPB(),
	})
	if err == nil && r.ContainerId == "" {
		err = errors.New("the runtime returned no container id")
	}
	if err != nil {
		return "", fmt.Errorf("create container %q: %w", cfg.Name, fromRPC(ctx, err))
	}
	return r.ContainerId, nil
}

// StartContainer starts a created container. After an error look at Container:
// a start that failed leaves an exited container with the reason in its Message,
// and cri-dockerd may report an error for a container that runs.
func (c *Client) StartContainer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	_, err := c.runtime.StartContainer(ctx, &pb.StartContainerRequest{ContainerId: id})
	if err != nil {
		return fmt.Errorf("start container %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return nil
}

// StopContainer sends the stop signal, waits up to grace for the container to
// exit, then has it killed. Success means that it no longer runs. An unknown id,
// or a container that has already ended, is success. A grace of zero kills.
//
// Cancelling ctx only ends the wait. CRI-O and cri-dockerd go on to the kill when
// the grace has passed; containerd never kills then, and the container runs on
// with the signal sent. Calling again waits (and, in the end, kills) without a
// second signal on containerd.
func (c *Client) StopContainer(ctx context.Context, id string, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+stopSlack)
	defer cancel()
	_, err := c.runtime.StopContainer(ctx, &pb.StopContainerRequest{ContainerId: id, Timeout: ceilSeconds(grace)})
	if err := ignoreNotFound(fromRPC(ctx, err)); err != nil {
		return fmt.Errorf("stop container %s: %w", shortID(id), err)
	}
	return nil
}

// RemoveContainer removes a container, a running one by force. An unknown id is
// success.
func (c *Client) RemoveContainer(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	_, err := c.runtime.RemoveContainer(ctx, &pb.RemoveContainerRequest{ContainerId: id})
	if err := ignoreNotFound(fromRPC(ctx, err)); err != nil {
		return fmt.Errorf("remove container %s: %w", shortID(id), err)
	}
	return nil
}

// ReopenLog makes the runtime go on in a new log file, after the caller has
// renamed the old one; see ReadLog. cri-dockerd cannot (ErrUnimplemented or a
// plain error).
func (c *Client) ReopenLog(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	_, err := c.runtime.ReopenContainerLog(ctx, &pb.ReopenContainerLogRequest{ContainerId: id})
	if err != nil {
		return fmt.Errorf("reopen log of container %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return nil
}

// Container reads one container. An unknown id is ErrNotFound.
func (c *Client) Container(ctx context.Context, id string) (ContainerStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.ContainerStatus(ctx, &pb.ContainerStatusRequest{ContainerId: id})
	if err != nil {
		return ContainerStatus{}, fmt.Errorf("container %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return containerStatusFromPB(r.GetStatus()), nil
}

// ContainerPID returns the number of a running container's first process, as the runtime
// sees it, or 0 where it does not tell. CRI has no field for it: containerd and CRI-O both
// print "pid" in the verbose status, under "info".
func (c *Client) ContainerPID(ctx context.Context, id string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.ContainerStatus(ctx, &pb.ContainerStatusRequest{ContainerId: id, Verbose: true})
	if err != nil {
		return 0, fmt.Errorf("container %s: %w", shortID(id), fromRPC(ctx, err))
	}
	return pidFromInfo(r.GetInfo()), nil
}

func pidFromInfo(info map[string]string) int {
	var v struct{ PID int }
	if json.Unmarshal([]byte(info["info"]), &v) != nil {
		return 0
	}
	return v.PID
}

// ListContainers lists the containers that filter selects, in the runtime's
// order, ended ones too.
func (c *Client) ListContainers(ctx context.Context, filter ContainerFilter) ([]Container, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.ListContainers(ctx, &pb.ListContainersRequest{
		Filter: &pb.ContainerFilter{Id: filter.ID, PodSandboxId: filter.SandboxID, LabelSelector: filter.Labels},
	})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", fromRPC(ctx, err))
	}
	list := make([]Container, 0, len(r.Containers))
	for _, p := range r.Containers {
		list = append(list, containerFromPB(p))
	}
	return list, nil
}

func containerFromPB(p *pb.Container) Container {
	return Container{
		ID:          p.Id,
		SandboxID:   p.PodSandboxId,
		Name:        p.GetMetadata().GetName(),
		Attempt:     p.GetMetadata().GetAttempt(),
		Image:       p.GetImage().GetImage(),
		ImageRef:    p.ImageRef,
		State:       ContainerState(p.State),
		CreatedAt:   unixNano(p.CreatedAt),
		Labels:      p.Labels,
		Annotations: p.Annotations,
	}
}

// containerStatusFromPB leaves SandboxID empty: CRI's status does not have it.
func containerStatusFromPB(s *pb.ContainerStatus) ContainerStatus {
	return ContainerStatus{
		Container: Container{
			ID:          s.GetId(),
			Name:        s.GetMetadata().GetName(),
			Attempt:     s.GetMetadata().GetAttempt(),
			Image:       s.GetImage().GetImage(),
			ImageRef:    s.GetImageRef(),
			State:       ContainerState(s.GetState()),
			CreatedAt:   unixNano(s.GetCreatedAt()),
			Labels:      s.GetLabels(),
			Annotations: s.GetAnnotations(),
		},
		StartedAt:  unixNano(s.GetStartedAt()),
		FinishedAt: unixNano(s.GetFinishedAt()),
		ExitCode:   int(s.GetExitCode()),
		Reason:     s.GetReason(),
		Message:    s.GetMessage(),
		LogPath:    s.GetLogPath(),
	}
}

// ceilSeconds rounds up: half a second of grace is not zero seconds, which kills.
func ceilSeconds(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return int64((d + time.Second - 1) / time.Second)
}
