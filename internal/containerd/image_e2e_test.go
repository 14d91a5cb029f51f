//go:build e2e

package containerd

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestE2EImportImage loads archives of each kind; CRI must know the image at once,
// unpacked, and make a container of it.
func TestE2EImportImage(t *testing.T) {
	image := imageOf(t, 200_000)
	kinds := map[string]func(t *testing.T, ref string) string{
		"docker": func(t *testing.T, ref string) string { return dockerArchive(t, ref, image) },
		"gzip":   func(t *testing.T, ref string) string { return gzipped(t, dockerArchive(t, ref, image)) },
		"oci":    func(t *testing.T, ref string) string { return ociArchive(t, ref, image) },
	}
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		for kind, write := range kinds {
			t.Run(kind, func(t *testing.T) {
				ref := "localhost/e2e-" + kind + ":1"
				file := write(t, ref)
				var done, total int64
				got, err := ImportImage(t.Context(), r.Socket(), file, func(d, n int64) { done, total = d, n })
				if err != nil || len(got) != 1 || got[0] != ref {
					t.Fatalf("import: %v, %v; want %q", got, err, ref)
				}
				info, err := os.Stat(file)
				if err != nil || total != info.Size() || done == 0 || done > total {
					t.Errorf("progress ended with %d of %d, the file has %d (%v)", done, total, info.Size(), err)
				}
				r.checkImage(t, ref)
			})
		}
		checkUnpacked(t, r)
	})
}

func (r *rig) checkImage(t *testing.T, ref string) {
	t.Helper()
	answer, err := cri.NewImageServiceClient(r.conn).ImageStatus(t.Context(), &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: ref}})
	if err != nil || answer.GetImage() == nil {
		t.Fatalf("CRI does not know %q: %v, %v", ref, answer, err)
	}
}

// checkUnpacked looks for a snapshot of the test image's layer, besides that of
// pause.
func checkUnpacked(t *testing.T, r *rig) {
	t.Helper()
	ctx := namespaces.WithNamespace(t.Context(), criNamespace)
	stream, err := snapshotsapi.NewSnapshotsClient(r.conn).List(ctx, &snapshotsapi.ListSnapshotsRequest{Snapshotter: snapshotterOf(ctx, r.conn)})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		count += len(answer.GetInfo())
	}
	if count < 2 {
		t.Errorf("%d snapshots, want those of pause and of the test image", count)
	}
}

// TestE2EImportBadFile: each bad file is one error, and leaves no image.
func TestE2EImportBadFile(t *testing.T) {
	files := map[string][]byte{
		"empty": {}, "text": []byte("no archive at all"),
		"truncated": readAll(t, dockerArchive(t, "localhost/e2e-cut:1", imageOf(t, 100_000)))[:60_000],
		"other tar": tarOf(t, "hello.txt", []byte("hello")),
	}
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		for kind, data := range files {
			file := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
			names, err := ImportImage(t.Context(), r.Socket(), file, nil)
			if !errors.Is(err, ErrNotAnArchive) || !strings.Contains(err.Error(), file) {
				t.Errorf("%s: %v, error %v; want ErrNotAnArchive", kind, names, err)
			}
		}
		_, err := ImportImage(t.Context(), r.Socket(), "/nonexistent/image.tar", nil)
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("no file: %v", err)
		}
	})
}

// TestE2EWatchPull pulls through CRI from a slow registry and watches.
func TestE2EWatchPull(t *testing.T) {
	const size = 6 << 20
	address := slowRegistry(t)
	ref := address + "/e2e/slow:1"
	push(t, ref, imageOf(t, size))
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		ctx, cancel := context.WithCancel(t.Context())
		var seen []PullProgress
		watched := make(chan error, 1)
		go func() {
			watched <- WatchPull(ctx, r.Socket(), 50*time.Millisecond, func(p PullProgress) { seen = append(seen, p) })
		}()
		_, err := cri.NewImageServiceClient(r.conn).PullImage(t.Context(), &cri.PullImageRequest{Image: &cri.ImageSpec{Image: ref}})
		cancel()
		if watchErr := <-watched; err != nil || watchErr != nil {
			t.Fatalf("pull: %v, watch: %v", err, watchErr)
		}
		between := 0
		for n, p := range seen {
			if p.Done > p.Total || n > 0 && p.Done < seen[n-1].Done {
				t.Errorf("progress %d of %d after %+v", p.Done, p.Total, seen[max(0, n-1)])
			}
			if p.Stage == StageDownloading && p.Done > 0 && p.Done < size {
				between++
			}
		}
		if last := seen[len(seen)-1]; between < 5 || last.Total < size {
			t.Errorf("%d reports in between, last %+v; want more, and at least %d bytes", between, last, size)
		}
	})
}

// slowRegistry serves blobs at about 4 MB/s.
func slowRegistry(t *testing.T) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodGet && strings.Contains(q.URL.Path, "/blobs/") {
			w = slowWriter{w}
		}
		inner.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

type slowWriter struct{ http.ResponseWriter }

func (w slowWriter) Write(p []byte) (int, error) {
	done := 0
	for chunk := range slices.Chunk(p, 64<<10) {
		time.Sleep(time.Duration(len(chunk)) * time.Second / (4 << 20))
		n, err := w.ResponseWriter.Write(chunk)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}

// imageOf is an image with one file of random bytes.
func imageOf(t *testing.T, size int) v1.Image {
	t.Helper()
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	layer := static.NewLayer(tarOf(t, "data", data), types.DockerUncompressedLayer)
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	image, err = mutate.ConfigFile(image, file)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func tarOf(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}), writeAll(w, data), w.Close())
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func writeAll(w io.Writer, data []byte) error {
	_, err := w.Write(data)
	return err
}

func dockerArchive(t *testing.T, ref string, image v1.Image) string {
	t.Helper()
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(file, tag, image); err != nil {
		t.Fatal(err)
	}
	return file
}

// ociArchive is a tar of an OCI image layout, as skopeo's oci-archive.
func ociArchive(t *testing.T, ref string, image v1.Image) string {
	t.Helper()
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := path.AppendImage(image, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref})); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(file)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func gzipped(t *testing.T, file string) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if err := errors.Join(writeAll(w, readAll(t, file)), w.Close(), os.WriteFile(file+".gz", buf.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return file + ".gz"
}

func readAll(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func push(t *testing.T, text string, image v1.Image) {
	t.Helper()
	ref, err := name.ParseReference(text)
	if err == nil {
		err = remote.Write(ref, image)
	}
	if err != nil {
		t.Fatal(err)
	}
}
