package cri

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	// cleanupLimit bounds what RunSandbox does after its caller has gone.
	cleanupLimit = 30 * time.Second
	// settleTime is how long an interrupted RunPodSandbox may still bring a
	// sandbox forth: runtimes notice that the caller has gone between two steps.
	settleTime = time.Second
	settlePoll = 100 * time.Millisecond
	// reservedLimit is how long a runtime may keep the name of a run that was broken
	// off and of which nothing is listed: it undoes the run step by step.
	reservedLimit = 20 * time.Second
)

// crioName is how CRI-O calls itself in Version.
const crioName = "cri-o"

// RunSandbox makes and starts a sandbox and returns its id. handler names a
// runtime handler; "" is the runtime's default.
//
// An identity (name, namespace, uid, attempt) that is in use is ErrAlreadyExists
// and that sandbox is left as it is. CRI-O instead returns the sandbox it has,
// ready or not: list before you run. A name that the runtime still keeps for a run
// that was broken off, and for no sandbox, is waited for.
//
// After any other error RunSandbox removes what the runtime left behind under
// this identity, also when ctx was cancelled (then it takes about a second more).
// It never removes a sandbox that has containers: that one was there before. When
// the runtime itself has died nothing can be removed; after its restart it may
// list the sandbox again, not ready.
func (c *Client) RunSandbox(ctx context.Context, cfg SandboxConfig, handler string) (string, error) {
	id, err := c.runFree(ctx, cfg, handler)
	if err == nil {
		return id, nil
	}
	cleanErr := c.cleanUpRun(ctx, cfg, handler, err)
	err = fmt.Errorf("run sandbox %q: %w", cfg.Name, err)
	if cleanErr != nil {
		return "", fmt.Errorf("%w (%v)", err, cleanErr)
	}
	return "", err
}

// runFree is runSandbox once the runtime has undone an earlier run of this identity.
func (c *Client) runFree(ctx context.Context, cfg SandboxConfig, handler string) (string, error) {
	for begin := time.Now(); ; {
		id, err := c.runSandbox(ctx, cfg, handler)
		if !errors.Is(err, ErrAlreadyExists) || time.Since(begin) > reservedLimit {
			return id, err
		}
		list, listErr := c.identical(ctx, cfg)
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(settlePoll):
		}
		if listErr != nil || len(list) > 0 {
			return "", err
		}
	}
}

func (c *Client) runSandbox(ctx context.Context, cfg SandboxConfig, handler string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	r, err := c.runtime.RunPodSandbox(ctx, &pb.RunPodSandboxRequest{Config: cfg.toPB(), RuntimeHandler: handler})
	if err != nil {
		return "", fromRPC(ctx, err)
	}
	if r.PodSandboxId == "" {
		return "", errors.New("the runtime returned no sandbox id")
	}
	return r.PodSandboxId, nil
}

// cleanUpRun removes what a failed run left behind. Leftovers are known on
// containerd 1.6 (a sandbox that is not ready, when the network could not be set
// up), and on every runtime when the caller gives up while the runtime finishes.
func (c *Client) cleanUpRun(ctx context.Context, cfg SandboxConfig, handler string, cause error) error {
	if errors.Is(cause, ErrAlreadyExists) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	if !interrupted(cause) {
		return c.removeLeftovers(ctx, cfg)
	}
	if c.name == crioName {
		// CRI-O finishes in the background and hides the sandbox from its list
		// until the same request comes again, which returns it.
		if _, err := c.runSandbox(ctx, cfg, handler); err != nil {
			return err
		}
		return c.removeLeftovers(ctx, cfg)
	}
	return c.removeLateComers(ctx, cfg)
}

// interrupted tells an error that leaves open whether the runtime goes on from an
// answer.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout)
}

// removeLateComers removes leftovers for as long as some may still turn up.
func (c *Client) removeLateComers(ctx context.Context, cfg SandboxConfig) error {
	settled := time.NewTimer(settleTime)
	defer settled.Stop()
	poll := time.NewTicker(settlePoll)
	defer poll.Stop()
	for {
		if err := c.removeLeftovers(ctx, cfg); err != nil {
			return err
		}
		select {
		case <-settled.C:
			return c.removeLeftovers(ctx, cfg)
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Client) removeLeftovers(ctx context.Context, cfg SandboxConfig) error {
	left, err := c.leftovers(ctx, cfg)
	if errors.Is(err, ErrUnavailable) {
		return nil // the daemon is gone, and that is what the caller hears
	}
	for _, id := range left {
		if rmErr := c.dropSandbox(ctx, id); rmErr != nil {
			err = errors.Join(err, fmt.Errorf("left behind: %w", rmErr))
		}
	}
	return err
}

// dropSandbox stops and removes. Where the network cannot be taken down, as on
// containerd 1.6 with a broken CNI configuration, neither succeeds until that is
// mended.
func (c *Client) dropSandbox(ctx context.Context, id string) error {
	if err := c.StopSandbox(ctx, id); err != nil {
		return err
	}
	return c.RemoveSandbox(ctx, id)
}

// leftovers lists the sandboxes of cfg's identity that have no containers.
func (c *Client) leftovers(ctx context.Context, cfg SandboxConfig) ([]string, error) {
	list, err := c.identical(ctx, cfg)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range list {
		inside, err := c.ListContainers(ctx, ContainerFilter{SandboxID: s.ID})
		if err != nil {
			return ids, err
		}
		if len(inside) == 0 {
			ids = append(ids, s.ID)
		}
	}
	return ids, nil
}

// identical lists the sandboxes of cfg's identity.
func (c *Client) identical(ctx context.Context, cfg SandboxConfig) ([]Sandbox, error) {
	list, err := c.ListSandboxes(ctx, SandboxFilter{Labels: cfg.Labels})
	return slices.DeleteFunc(list, func(s Sandbox) bool {
		return s.Name != cfg.Name || s.Namespace != cfg.Namespace || s.UID != cfg.UID || s.Attempt != cfg.Attempt
	}), err
}
