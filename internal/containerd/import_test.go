package containerd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/hint"
)

func TestNamesOf(t *testing.T) {
	sum := digest.FromString("x")
	full, short := "io.containerd.image.name", ocispec.AnnotationRefName
	tests := map[string]struct {
		annotations map[string]string
		want        string // the name; "" for ErrNotAnArchive
	}{
		"docker's":            {map[string]string{full: "localhost/vmctl-demo:1", short: "1"}, "localhost/vmctl-demo:1"},
		"OCI's":               {map[string]string{short: "localhost/vmctl-demo:1"}, "localhost/vmctl-demo:1"},
		"made canonical":      {map[string]string{full: "alpine:3"}, "docker.io/library/alpine:3"},
		"without a tag":       {map[string]string{full: "dockurr/windows"}, "docker.io/dockurr/windows:latest"},
		"a bare tag":          {map[string]string{short: "latest"}, ""},
		"nothing":             {nil, ""},
		"not a name":          {map[string]string{full: "UPPER/Case:1"}, ""},
		"of our test machine": {map[string]string{full: "127.0.0.1:5000/a/b:c"}, "127.0.0.1:5000/a/b:c"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := namesOf([]ocispec.Descriptor{{Digest: sum, Annotations: test.annotations}})
			if test.want == "" {
				if !errors.Is(err, ErrNotAnArchive) {
					t.Errorf("%v, error %v; want ErrNotAnArchive", got, err)
				}
				return
			}
			if err != nil || len(got) != 1 || got[0].name != test.want {
				t.Fatalf("%v, error %v; want %q", got, err, test.want)
			}
			repository := test.want[:strings.LastIndex(test.want, ":")]
			if want := repository + "@" + sum.String(); got[0].digest != want {
				t.Errorf("by digest %q, want %q", got[0].digest, want)
			}
		})
	}
}

func TestArchiveError(t *testing.T) {
	broken := archiveError(t.Context(), errors.New("unrecognized image format"))
	if !errors.Is(broken, ErrNotAnArchive) || hint.Of(broken) == "" {
		t.Errorf("bad file: %v, hint %q", broken, hint.Of(broken))
	}
	if err := archiveError(t.Context(), errdefs.ErrUnavailable); errors.Is(err, ErrNotAnArchive) {
		t.Errorf("the daemon went away: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := archiveError(cancelled, errors.New("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestImportImageFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := serve(t, func(*grpc.Server) {})
	if _, err := ImportImage(t.Context(), other, file, nil); !errors.Is(err, ErrNotContainerd) || !strings.Contains(hint.Of(err), "skopeo") {
		t.Errorf("another runtime: %v, hint %q", err, hint.Of(err))
	}
	if _, err := ImportImage(t.Context(), other, file+".gz", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := ImportImage(t.Context(), file+".sock", file, nil); err == nil || errors.Is(err, ErrNotContainerd) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestCountReads(t *testing.T) {
	var got [][2]int64
	r := countReads(io.MultiReader(strings.NewReader("abc"), strings.NewReader("de")), 5, func(done, total int64) {
		got = append(got, [2]int64{done, total})
	})
	if data, err := io.ReadAll(r); err != nil || string(data) != "abcde" {
		t.Errorf("read %q, %v", data, err)
	}
	if diff := cmp.Diff([][2]int64{{3, 5}, {5, 5}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	plain := bytes.NewReader(nil)
	if countReads(plain, 0, nil) != io.Reader(plain) {
		t.Error("counts for nobody")
	}
}

// fakeFilesystem tells where images are.
type fakeFilesystem struct {
	cri.UnimplementedImageServiceServer
	mountpoint string
}

func (f *fakeFilesystem) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	return &cri.ImageFsInfoResponse{ImageFilesystems: []*cri.FilesystemUsage{{FsId: &cri.FilesystemIdentifier{Mountpoint: f.mountpoint}}}}, nil
}

func TestSnapshotterOf(t *testing.T) {
	tests := map[string]string{
		"/var/lib/containerd/io.containerd.snapshotter.v1.native":    "native",
		"/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs": "overlayfs",
		"/var/lib/docker": "overlayfs",
	}
	for mountpoint, want := range tests {
		socket := serve(t, func(s *grpc.Server) { cri.RegisterImageServiceServer(s, &fakeFilesystem{mountpoint: mountpoint}) })
		conn, err := connect(socket)
		if err != nil {
			t.Fatal(err)
		}
		if got := snapshotterOf(t.Context(), conn); got != want {
			t.Errorf("%s: %q, want %q", mountpoint, got, want)
		}
		_ = conn.Close()
	}
}
