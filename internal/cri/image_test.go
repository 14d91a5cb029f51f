package cri_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

func TestNormalizeReference(t *testing.T) {
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for ref, want := range map[string]string{
		"dockurr/windows":         "docker.io/dockurr/windows:latest",
		"busybox:1":               "docker.io/library/busybox:1",
		"localhost/vmctl-demo:1":  "localhost/vmctl-demo:1",
		"localhost:5000/a/b":      "localhost:5000/a/b:latest",
		"ghcr.io/x/y@" + digest:   "ghcr.io/x/y@" + digest,
		"ghcr.io/x/y:2@" + digest: "ghcr.io/x/y@" + digest,
		"a/Upper":                 "",
		"":                        "",
		"a:b:c":                   "",
		"http://example.org/x":    "",
	} {
		got, err := cri.NormalizeReference(ref)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", ref, got, err, want)
		}
	}
}

func TestPullSendsFullReferenceAndAuth(t *testing.T) {
	rt := critest.NewServer(t)
	auth := cri.Auth{Username: "u", Password: "p"}
	rt.Publish(auth, "docker.io/dockurr/windows:latest")
	c := dial(t, rt)
	if _, err := c.PullImage(t.Context(), "dockurr/windows", auth); err != nil {
		t.Fatal(err)
	}
	calls := rt.Calls()
	req := calls[len(calls)-1].Request.(*pb.PullImageRequest)
	if got := req.Image.Image; got != "docker.io/dockurr/windows:latest" {
		t.Errorf("reference %q", got)
	}
	// containerd drops credentials whose address is not literally the host's.
	if req.Auth.ServerAddress != "" || req.Auth.Username != "u" {
		t.Errorf("auth %+v", req.Auth)
	}
	if _, err := c.PullImage(t.Context(), "dockurr/windows", cri.Auth{}); err == nil {
		t.Error("a private image was pulled without a password")
	}
	calls = rt.Calls()
	if req := calls[len(calls)-1].Request.(*pb.PullImageRequest); req.Auth != nil {
		t.Errorf("anonymous pull sent %+v", req.Auth)
	}
}

func TestPullFailures(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	rt.At("PullImage", 1).Fail(codes.Unknown, "failed to extract layer: no space left on device")
	if _, err := c.PullImage(t.Context(), "a/b", cri.Auth{}); !errors.Is(err, cri.ErrDiskFull) || !strings.HasPrefix(err.Error(), `pull image "docker.io/a/b:latest": `) {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stalled := rt.At("PullImage", 1).Stall()
	go func() { <-stalled.Reached(); cancel() }()
	if _, err := c.PullImage(ctx, "a/b", cri.Auth{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}

func TestImageCallsFail(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	ctx := t.Context()
	for method, call := range map[string]func() error{
		"PullImage":   func() error { _, err := c.PullImage(ctx, "a/b", cri.Auth{}); return err },
		"ImageStatus": func() error { _, err := c.Image(ctx, "a/b"); return err },
		"ListImages":  func() error { _, err := c.ListImages(ctx); return err },
		"RemoveImage": func() error { return c.RemoveImage(ctx, "a/b") },
		"ImageFsInfo": func() error { _, err := c.ImageFilesystem(ctx); return err },
	} {
		rt.At(method, 1).Fail(codes.Unavailable, "gone")
		if err := call(); !errors.Is(err, cri.ErrUnavailable) || !strings.HasSuffix(err.Error(), ": gone") {
			t.Errorf("%s: %v", method, err)
		}
	}
}
