package containerd

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// blobStore is the part of containerd's content store that tells what a pull will
// fetch besides what it fetches now: a few layers at a time.
type blobStore interface {
	Walk(ctx context.Context, fn content.WalkFunc, filters ...string) error
	Info(ctx context.Context, d digest.Digest) (content.Info, error)
	content.Provider
}

// learn looks up the manifests of what is new among refs, so that the total is right
// from the first layer on, and asks for blobs that came in between two looks. What
// cannot be learned is left out: the total then grows, as layers show up.
func (s *pullSum) learn(ctx context.Context, store blobStore, refs []string) {
	for _, ref := range refs {
		d, ok := layerOf(ref)
		if !ok || s.known[d] {
			continue
		}
		for _, blob := range blobsWith(ctx, store, d) {
			s.known[blob.Digest] = true
			s.expect(blob)
		}
	}
	for ref, in := range s.seen {
		if !in.waiting {
			continue
		}
		_, text, _ := strings.Cut(ref, "-")
		if _, err := store.Info(ctx, digest.Digest(text)); err == nil {
			in.waiting = false
		}
	}
}

// expect notes a blob under the reference that it will have when it is fetched.
func (s *pullSum) expect(blob ocispec.Descriptor) {
	kind := "layer-"
	if strings.Contains(blob.MediaType, "config") || strings.Contains(blob.MediaType, "container.image") {
		kind = "config-"
	}
	ref := kind + blob.Digest.String()
	if s.seen[ref] == nil {
		s.seen[ref] = &ingest{total: blob.Size, waiting: true}
	}
}

func layerOf(ref string) (digest.Digest, bool) {
	text, ok := strings.CutPrefix(ref, "layer-")
	d, err := digest.Parse(text)
	return d, ok && err == nil
}

// blobsWith are the blobs of the manifest that has layer d; none if it is not there.
// containerd labels a manifest with its blobs before it fetches them, to keep them
// from being collected (containerd: docs/content-flow.md).
func blobsWith(ctx context.Context, store blobStore, d digest.Digest) []ocispec.Descriptor {
	var parents []content.Info
	err := store.Walk(ctx, func(info content.Info) error {
		for key, value := range info.Labels {
			if value == d.String() && strings.HasPrefix(key, "containerd.io/gc.ref.content") {
				parents = append(parents, info)
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	var blobs []ocispec.Descriptor
	for _, info := range parents {
		data, err := content.ReadBlob(ctx, store, ocispec.Descriptor{Digest: info.Digest, Size: info.Size})
		var m ocispec.Manifest
		if err == nil && json.Unmarshal(data, &m) == nil {
			blobs = append(append(blobs, m.Layers...), m.Config)
		}
	}
	return blobs
}
