package containerd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// fakeBlobs is a content store with some blobs, complete ones.
type fakeBlobs struct {
	infos map[digest.Digest]content.Info
	data  map[digest.Digest][]byte
	fail  error
}

func (f *fakeBlobs) add(data []byte, labels map[string]string) digest.Digest {
	d := digest.FromBytes(data)
	f.infos[d] = content.Info{Digest: d, Size: int64(len(data)), Labels: labels}
	f.data[d] = data
	return d
}

func (f *fakeBlobs) Walk(_ context.Context, fn content.WalkFunc, _ ...string) error {
	for _, info := range f.infos {
		if err := fn(info); err != nil {
			return err
		}
	}
	return f.fail
}

func (f *fakeBlobs) Info(_ context.Context, d digest.Digest) (content.Info, error) {
	if info, ok := f.infos[d]; ok {
		return info, f.fail
	}
	return content.Info{}, errdefs.ErrNotFound
}

func (f *fakeBlobs) ReaderAt(_ context.Context, d ocispec.Descriptor) (content.ReaderAt, error) {
	return blobReader{bytes.NewReader(f.data[d.Digest])}, f.fail
}

type blobReader struct{ *bytes.Reader }

func (blobReader) Close() error { return nil }

// threeLayers is a store in which a manifest of three layers lies, whose pull has
// just begun, and blobs that have nothing to do with it.
func threeLayers(t *testing.T) (*fakeBlobs, ocispec.Manifest) {
	t.Helper()
	f := &fakeBlobs{infos: map[digest.Digest]content.Info{}, data: map[digest.Digest][]byte{}}
	m := ocispec.Manifest{Config: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromString("config"), Size: 7}}
	labels := map[string]string{"containerd.io/gc.ref.content.config": m.Config.Digest.String()}
	for n, text := range []string{"a", "b", "c"} {
		d := digest.FromString(text)
		m.Layers = append(m.Layers, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: d, Size: 100})
		labels["containerd.io/gc.ref.content.l."+string(rune('0'+n))] = d.String()
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	f.add(data, labels)
	f.add([]byte("{}"), map[string]string{"containerd.io/distribution.source.docker.io": "a/b"})
	f.add([]byte("no JSON"), map[string]string{"containerd.io/gc.ref.content.0": m.Layers[0].Digest.String()})
	return f, m
}

func TestTotalIsKnownFromTheFirstLayerOn(t *testing.T) {
	store, m := threeLayers(t)
	layer := func(n int, offset int64) *contentapi.Status {
		return fetching("layer-"+m.Layers[n].Digest.String(), offset, 100)
	}
	sum := newPullSum()
	for _, step := range []struct {
		name   string
		listed []*contentapi.Status
		there  string // a blob that came in since
		want   PullProgress
	}{
		{"nothing", nil, "", PullProgress{0, 0, StageResolving}},
		{"first layer", []*contentapi.Status{layer(0, 10)}, "", PullProgress{10, 307, StageDownloading}},
		{"config came in unseen", []*contentapi.Status{layer(0, 50)}, "config", PullProgress{57, 307, StageDownloading}},
		{"a pause between layers", nil, "a", PullProgress{107, 307, StageDownloading}},
		{"second layer was there before", []*contentapi.Status{layer(2, 1)}, "b", PullProgress{208, 307, StageDownloading}},
		{"all", nil, "c", PullProgress{307, 307, StageUnpacking}},
	} {
		if step.there != "" {
			store.add([]byte(step.there), nil)
		}
		sum.learn(t.Context(), store, refsOf(step.listed))
		if diff := cmp.Diff(step.want, sum.add(step.listed)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestWithoutManifestTheTotalGrows(t *testing.T) {
	store, m := threeLayers(t)
	listed := []*contentapi.Status{fetching("layer-"+m.Layers[0].Digest.String(), 10, 100)}
	for name, prepare := range map[string]func(){
		"store fails":        func() { store.fail = errors.New("gone") },
		"manifest not there": func() { store.fail = nil; clear(store.infos) },
	} {
		prepare()
		sum := newPullSum()
		sum.learn(t.Context(), store, refsOf(listed))
		if diff := cmp.Diff(PullProgress{10, 100, StageDownloading}, sum.add(listed)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLayerOf(t *testing.T) {
	d := digest.FromString("x")
	for ref, want := range map[string]bool{
		"layer-" + d.String(): true, "config-" + d.String(): false, d.String(): false, "layer-": false, "layer-sha256:12": false, "": false,
	} {
		if got, ok := layerOf(ref); ok != want || ok && got != d {
			t.Errorf("%q: %q, %v", ref, got, ok)
		}
	}
}
