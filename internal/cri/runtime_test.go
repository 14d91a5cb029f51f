package cri_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

func TestVersion(t *testing.T) {
	c := dial(t, critest.NewServer(t, critest.WithProfile(critest.Containerd16())))
	v, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cri.Version{RuntimeName: "containerd", RuntimeVersion: "1.6.20", APIVersion: "v1"}, v); diff != "" {
		t.Error(diff)
	}
}

func TestStatus(t *testing.T) {
	rt := critest.NewServer(t, critest.WithProfile(critest.Containerd16()))
	c := dial(t, rt)
	s, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// containerd 2's condition on deprecations, which is false, does not count.
	if !s.RuntimeReady.OK || !s.NetworkReady.OK || s.SandboxImage != "registry.k8s.io/pause:3.6" || s.Info["config"] == "" {
		t.Errorf("status = %+v", s)
	}
	rt.BreakNetwork("cni plugin not initialized")
	if s, err = c.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := cri.Condition{Reason: "NetworkPluginNotReady", Message: "Network plugin returns error: cni plugin not initialized"}
	if diff := cmp.Diff(want, s.NetworkReady); diff != "" {
		t.Error(diff)
	}
}

func TestCgroupParent(t *testing.T) {
	for _, config := range []bool{true, false} {
		for systemd, want := range map[bool]string{true: "vmctl.slice", false: "/vmctl"} {
			p := critest.Containerd2()
			p.RuntimeConfig, p.SystemdCgroup = config, systemd
			c := dial(t, critest.NewServer(t, critest.WithProfile(p)))
			for _, name := range []string{"vmctl", "/vmctl"} {
				if got, err := c.CgroupParent(t.Context(), name); err != nil || got != want {
					t.Errorf("RuntimeConfig %t, systemd %t: %q, %v; want %q", config, systemd, got, err, want)
				}
			}
		}
	}
}

func TestCgroupParentFailures(t *testing.T) {
	rt := critest.NewServer(t, critest.WithProfile(critest.Containerd16()))
	c := dial(t, rt)
	rt.At("Status", 1).Fail(codes.Unavailable, "gone")
	if _, err := c.CgroupParent(t.Context(), "vmctl"); !errors.Is(err, cri.ErrUnavailable) {
		t.Errorf("status failed: %v", err)
	}
	rt.At("RuntimeConfig", 1).Fail(codes.Unavailable, "gone")
	if _, err := c.CgroupParent(t.Context(), "vmctl"); !errors.Is(err, cri.ErrUnavailable) {
		t.Errorf("runtime config failed: %v", err)
	}
}

func TestSandboxImageOfOtherRuntimes(t *testing.T) {
	// The fake of CRI-O tells it as containerd does; the key of its own is in
	// TestSandboxImage.
	s, err := dial(t, critest.NewServer(t, critest.WithProfile(critest.Containerd2()))).Status(t.Context())
	if err != nil || s.SandboxImage != "" {
		t.Errorf("containerd 2 tells %q, %v", s.SandboxImage, err)
	}
}
