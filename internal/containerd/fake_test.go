package containerd

import (
	"context"
	"testing"

	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// fake answers the few calls that this package makes. What a test leaves nil is
// not implemented.
type fake struct {
	cri.UnimplementedImageServiceServer
	version string
	known   func(image string) bool // whether CRI lists the image
}

// socket serves the fake, with more services, until the test ends.
func (f *fake) socket(t *testing.T, more ...func(*grpc.Server)) string {
	t.Helper()
	return serve(t, func(s *grpc.Server) {
		cri.RegisterImageServiceServer(s, f)
		if f.version != "" {
			versionapi.RegisterVersionServer(s, fakeVersion{version: f.version})
		}
		for _, register := range more {
			register(s)
		}
	})
}

func dialFake(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	conn, err := connect(socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

type fakeVersion struct {
	versionapi.UnimplementedVersionServer
	version string
}

func (v fakeVersion) Version(context.Context, *emptypb.Empty) (*versionapi.VersionResponse, error) {
	return &versionapi.VersionResponse{Version: v.version}, nil
}

func (f *fake) ImageStatus(_ context.Context, r *cri.ImageStatusRequest) (*cri.ImageStatusResponse, error) {
	if f.known == nil {
		return nil, status.Error(codes.Unimplemented, "unknown service runtime.v1.ImageService")
	}
	if !f.known(r.GetImage().GetImage()) {
		return &cri.ImageStatusResponse{}, nil
	}
	return &cri.ImageStatusResponse{Image: &cri.Image{Id: "sha256:1"}}, nil
}

// fakeImages is a store of names.
type fakeImages struct {
	imagesapi.UnimplementedImagesServer
	digests map[string]string
	fail    error
}

func (f *fakeImages) Create(_ context.Context, r *imagesapi.CreateImageRequest) (*imagesapi.CreateImageResponse, error) {
	if f.fail != nil {
		return nil, f.fail
	}
	if _, ok := f.digests[r.GetImage().GetName()]; ok {
		return nil, status.Error(codes.AlreadyExists, "already exists")
	}
	f.digests[r.GetImage().GetName()] = r.GetImage().GetTarget().GetDigest()
	return &imagesapi.CreateImageResponse{Image: r.GetImage()}, nil
}

func (f *fakeImages) Update(_ context.Context, r *imagesapi.UpdateImageRequest) (*imagesapi.UpdateImageResponse, error) {
	if paths := r.GetUpdateMask().GetPaths(); len(paths) != 1 || paths[0] != "target" {
		return nil, status.Errorf(codes.InvalidArgument, "update of %v", paths)
	}
	f.digests[r.GetImage().GetName()] = r.GetImage().GetTarget().GetDigest()
	return &imagesapi.UpdateImageResponse{Image: r.GetImage()}, nil
}
