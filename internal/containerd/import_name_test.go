package containerd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func target(text string) ocispec.Descriptor {
	return ocispec.Descriptor{Digest: digest.FromString(text), MediaType: ocispec.MediaTypeImageManifest, Size: int64(len(text))}
}

func TestRegisterMovesAName(t *testing.T) {
	images := &fakeImages{digests: map[string]string{}}
	conn := dialFake(t, (&fake{}).socket(t, func(s *grpc.Server) { imagesapi.RegisterImagesServer(s, images) }))
	for _, text := range []string{"old", "new"} {
		if err := register(t.Context(), conn, "localhost/x:1", target(text)); err != nil {
			t.Fatal(err)
		}
		if got, want := images.digests["localhost/x:1"], digest.FromString(text).String(); got != want {
			t.Errorf("%s: the name leads to %q, want %q", text, got, want)
		}
	}
	images.fail = status.Error(codes.ResourceExhausted, "no space left on device")
	if err := register(t.Context(), conn, "localhost/y:1", target("")); err == nil {
		t.Error("no error of a full disk")
	}
}

func TestRegisterAllWaitsForCRI(t *testing.T) {
	images := &fakeImages{digests: map[string]string{}}
	asked := map[string]int{}
	f := &fake{known: func(image string) bool { asked[image]++; return asked[image] > 2 }}
	conn := dialFake(t, f.socket(t, func(s *grpc.Server) { imagesapi.RegisterImagesServer(s, images) }))
	named := []namedImage{{name: "localhost/x:1", digest: "localhost/x@" + target("x").Digest.String(), target: target("x")}}
	got, err := registerAll(t.Context(), conn, named)
	if err != nil || !slices.Equal(got, []string{"localhost/x:1"}) || asked["localhost/x:1"] != 3 {
		t.Errorf("got %v, %v after %v", got, err, asked)
	}
	if len(images.digests) != 2 {
		t.Errorf("names %v, want one with the tag and one with the digest", images.digests)
	}
	images.fail = status.Error(codes.Unavailable, "gone")
	if _, err := registerAll(t.Context(), conn, named); err == nil || !strings.Contains(err.Error(), "localhost/x:1") {
		t.Errorf("the error %v does not name the image", err)
	}
}

func TestWaitForCRIGivesUp(t *testing.T) {
	conn := dialFake(t, (&fake{known: func(string) bool { return false }}).socket(t))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := waitForCRI(ended, conn, "localhost/x:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
	without := dialFake(t, (&fake{}).socket(t))
	if err := waitForCRI(t.Context(), without, "localhost/x:1"); err == nil || !strings.Contains(err.Error(), "localhost/x:1") {
		t.Errorf("with CRI switched off: %v", err)
	}
}
