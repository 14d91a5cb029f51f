package containerd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// memory is a store of blobs, snapshots and layers, as far as unpacking needs them.
type memory struct {
	content.Store
	blobs     map[digest.Digest][]byte
	labels    map[string]string // "DIGEST LABEL" to value
	committed map[string]string // snapshot to parent
	parent    map[string]string // of those that are being made
	applied   []digest.Digest
	bad       digest.Digest // a layer that cannot be applied
}

func newMemory() *memory {
	return &memory{blobs: map[digest.Digest][]byte{}, labels: map[string]string{}, committed: map[string]string{}, parent: map[string]string{}}
}

func (m *memory) unpacker() *unpacker {
	return &unpacker{store: m, snapshotter: memorySnapshots{memory: m}, applier: m, rootLabel: "root"}
}

func (m *memory) put(t *testing.T, mediaType string, value any) ocispec.Descriptor {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	m.blobs[d.Digest] = data
	return d
}

// image stores one with these layers; diffs are those of its configuration.
func (m *memory) image(t *testing.T, layers []string, diffs []string) ocispec.Descriptor {
	t.Helper()
	config := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}}
	for _, text := range diffs {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromString(text))
	}
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: m.put(t, ocispec.MediaTypeImageConfig, config),
	}
	for _, text := range layers {
		manifest.Layers = append(manifest.Layers, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromString(text)})
	}
	return m.put(t, ocispec.MediaTypeImageManifest, manifest)
}

func (m *memory) ReaderAt(_ context.Context, d ocispec.Descriptor) (content.ReaderAt, error) {
	data, ok := m.blobs[d.Digest]
	if !ok {
		return nil, errdefs.ErrNotFound
	}
	return blob{bytes.NewReader(data)}, nil
}

type blob struct{ *bytes.Reader }

func (blob) Close() error { return nil }

func (m *memory) Update(_ context.Context, info content.Info, fields ...string) (content.Info, error) {
	for label, value := range info.Labels {
		if len(fields) != 1 || fields[0] != "labels."+label {
			return info, errors.New("would overwrite other labels")
		}
		m.labels[info.Digest.String()+" "+label] = value
	}
	return info, nil
}

func (m *memory) Apply(_ context.Context, layer ocispec.Descriptor, _ []mount.Mount, _ ...diff.ApplyOpt) (ocispec.Descriptor, error) {
	if layer.Digest == m.bad {
		return ocispec.Descriptor{}, errors.New("no space left on device")
	}
	m.applied = append(m.applied, layer.Digest)
	return ocispec.Descriptor{Digest: layer.Digest}, nil
}

// memorySnapshots are the memory's snapshots. Some of their methods are named as
// those of a content store are.
type memorySnapshots struct {
	snapshots.Snapshotter
	memory *memory
}

func (s memorySnapshots) Stat(_ context.Context, key string) (snapshots.Info, error) {
	if _, ok := s.memory.committed[key]; !ok {
		return snapshots.Info{}, errdefs.ErrNotFound
	}
	return snapshots.Info{Name: key}, nil
}

func (s memorySnapshots) Prepare(_ context.Context, key, parent string, _ ...snapshots.Opt) ([]mount.Mount, error) {
	s.memory.parent[key] = parent
	return nil, nil
}

func (s memorySnapshots) Commit(_ context.Context, name, key string, _ ...snapshots.Opt) error {
	s.memory.committed[name] = s.memory.parent[key]
	delete(s.memory.parent, key)
	return nil
}

func (s memorySnapshots) Remove(_ context.Context, key string) error {
	delete(s.memory.parent, key)
	return nil
}

func TestUnpack(t *testing.T) {
	m := newMemory()
	target := m.image(t, []string{"one", "two"}, []string{"one", "two"})
	for range 2 { // the second time there is nothing to do
		if err := m.unpacker().unpack(t.Context(), target); err != nil {
			t.Fatal(err)
		}
	}
	one, two := digest.FromString("one"), digest.FromString("two")
	if diff := cmp.Diff([]digest.Digest{one, two}, m.applied); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	chain := identity.ChainID([]digest.Digest{one, two}).String()
	if diff := cmp.Diff(map[string]string{one.String(): "", chain: one.String()}, m.committed); diff != "" {
		t.Errorf("snapshots and their parents (-want +got):\n%s", diff)
	}
	kept := false
	for label, value := range m.labels {
		kept = kept || strings.HasSuffix(label, " root") && value == chain
	}
	if !kept {
		t.Errorf("nothing keeps the last snapshot: %v", m.labels)
	}
}

func TestUnpackFails(t *testing.T) {
	m := newMemory()
	m.bad = digest.FromString("two")
	err := m.unpacker().unpack(t.Context(), m.image(t, []string{"one", "two"}, []string{"one", "two"}))
	if err == nil || !strings.Contains(err.Error(), "layer 2") || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("disk full: %v", err)
	}
	if len(m.parent) > 0 {
		t.Errorf("half a snapshot is left: %v", m.parent)
	}
	err = m.unpacker().unpack(t.Context(), m.image(t, []string{"one", "two"}, []string{"one"}))
	if !errors.Is(err, ErrNotAnArchive) {
		t.Errorf("a configuration with fewer layers: %v", err)
	}
	if err := m.unpacker().unpack(t.Context(), ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("absent")}); err == nil {
		t.Error("a manifest that is not there is no error")
	}
}
