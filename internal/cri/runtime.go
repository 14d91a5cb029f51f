package cri

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Version is what the runtime says of itself.
type Version struct {
	RuntimeName    string // "containerd", "cri-o", "docker"
	RuntimeVersion string
	APIVersion     string // "v1"
}

// Condition is one answer of Status: whether a part is ready, and why not.
type Condition struct {
	OK      bool
	Reason  string
	Message string
}

// Status is the health of a runtime.
type Status struct {
	RuntimeReady Condition
	NetworkReady Condition
	// Info is the verbose part: JSON texts under keys that each runtime chooses.
	Info map[string]string
	// SandboxImage is the pause image. It is empty where the runtime does not
	// tell (containerd 2.x).
	SandboxImage string
}

// Version asks the runtime for its name and version.
func (c *Client) Version(ctx context.Context) (Version, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.Version(ctx, &pb.VersionRequest{})
	if err != nil {
		return Version{}, fmt.Errorf("runtime version: %w", fromRPC(ctx, err))
	}
	return Version{RuntimeName: r.RuntimeName, RuntimeVersion: r.RuntimeVersion, APIVersion: r.RuntimeApiVersion}, nil
}

// Status asks whether the runtime and its network are ready. A condition that the
// runtime does not report counts as ready, and one that CRI does not define
// (containerd 2.x adds deprecation warnings) is left out.
//
// Ask before RunSandbox: CRI-O without a network waits there instead of failing.
func (c *Client) Status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.Status(ctx, &pb.StatusRequest{Verbose: true})
	if err != nil {
		return Status{}, fmt.Errorf("runtime status: %w", fromRPC(ctx, err))
	}
	s := Status{
		RuntimeReady: Condition{OK: true},
		NetworkReady: Condition{OK: true},
		Info:         r.Info,
		SandboxImage: sandboxImage(r.Info),
	}
	for _, cond := range r.GetStatus().GetConditions() {
		c := Condition{OK: cond.Status, Reason: cond.Reason, Message: cond.Message}
		switch cond.Type {
		case pb.RuntimeReady:
			s.RuntimeReady = c
		case pb.NetworkReady:
			s.NetworkReady = c
		}
	}
	return s, nil
}

// CgroupParent makes the cgroup parent called name in the form that this runtime
// takes: "/name" with the cgroupfs driver, "name.slice" with systemd. The wrong
// form is an error on some runtimes and no form loses the sandbox's statistics.
//
// The driver comes from RuntimeConfig (containerd 2.x, CRI-O, cri-dockerd), else
// from containerd's verbose status, else cgroupfs is assumed.
func (c *Client) CgroupParent(ctx context.Context, name string) (string, error) {
	systemd, err := c.systemdCgroup(ctx)
	if err != nil {
		return "", fmt.Errorf("cgroup driver: %w", err)
	}
	name = strings.Trim(name, "/")
	if systemd {
		return name + ".slice", nil
	}
	return "/" + name, nil
}

func (c *Client) systemdCgroup(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.runtime.RuntimeConfig(ctx, &pb.RuntimeConfigRequest{})
	if err == nil && r.Linux != nil {
		return r.Linux.CgroupDriver == pb.CgroupDriver_SYSTEMD, nil
	}
	if err = fromRPC(ctx, err); err != nil && !errors.Is(err, ErrUnimplemented) {
		return false, err
	}
	s, err := c.Status(ctx)
	if err != nil {
		return false, err
	}
	return systemdFromInfo(s.Info), nil
}

// verboseConfig is the part that we read of containerd's CRI configuration, as
// Status prints it under "config" (containerd pkg/cri/config, 1.6 and 1.7).
type verboseConfig struct {
	SandboxImage string `json:"sandboxImage"`
	Containerd   struct {
		DefaultRuntimeName string `json:"defaultRuntimeName"`
		Runtimes           map[string]struct {
			Options map[string]any `json:"options"`
		} `json:"runtimes"`
	} `json:"containerd"`
}

func parseVerboseConfig(info map[string]string) verboseConfig {
	var v verboseConfig
	// A text that is not this JSON is another runtime's: nothing to read.
	_ = json.Unmarshal([]byte(info["config"]), &v)
	return v
}

func systemdFromInfo(info map[string]string) bool {
	c := parseVerboseConfig(info).Containerd
	on, _ := c.Runtimes[c.DefaultRuntimeName].Options["SystemdCgroup"].(bool)
	return on
}

// sandboxImage reads the pause image: containerd 1.x and cri-dockerd tell it
// inside "config", CRI-O under a key of its own.
func sandboxImage(info map[string]string) string {
	if image := parseVerboseConfig(info).SandboxImage; image != "" {
		return image
	}
	return strings.Trim(info["sandboxImage"], `"`)
}
