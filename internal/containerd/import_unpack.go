package containerd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	diffapi "github.com/containerd/containerd/api/services/diff/v1"
	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	diffproxy "github.com/containerd/containerd/v2/core/diff/proxy"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	snapshotproxy "github.com/containerd/containerd/v2/core/snapshots/proxy"
	"github.com/containerd/containerd/v2/pkg/rootfs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// unpacker makes snapshots of layers, as a pull does in its end.
type unpacker struct {
	store       content.Store
	snapshotter snapshots.Snapshotter
	applier     diff.Applier
	// rootLabel goes on an image's configuration and keeps its last snapshot, and
	// with it the others, from being collected (containerd: docs/garbage-collection.md).
	rootLabel string
}

func newUnpacker(ctx context.Context, conn *grpc.ClientConn, store content.Store) (*unpacker, error) {
	name := snapshotterOf(ctx, conn)
	applier, ok := diffproxy.NewDiffApplier(diffapi.NewDiffClient(conn)).(diff.Applier)
	if !ok {
		return nil, errors.New("containerd's library has no applier of layers")
	}
	return &unpacker{
		store:       store,
		snapshotter: snapshotproxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(conn), name),
		applier:     applier,
		rootLabel:   "containerd.io/gc.ref.snapshot." + name,
	}, nil
}

// snapshotterOf is the one that CRI uses: its directory, which CRI tells, bears its
// name. Where CRI does not tell, it is the usual one.
func snapshotterOf(ctx context.Context, conn *grpc.ClientConn) string {
	const usual = "overlayfs"
	answer, err := cri.NewImageServiceClient(conn).ImageFsInfo(ctx, &cri.ImageFsInfoRequest{})
	if err != nil {
		return usual
	}
	for _, fs := range answer.GetImageFilesystems() {
		if name, ok := strings.CutPrefix(filepath.Base(fs.GetFsId().GetMountpoint()), "io.containerd.snapshotter.v1."); ok {
			return name
		}
	}
	return usual
}

// unpack makes a snapshot of each layer that has none yet.
func (u *unpacker) unpack(ctx context.Context, target ocispec.Descriptor) error {
	manifest, err := images.Manifest(ctx, u.store, target, platforms.Default())
	if err != nil {
		return err
	}
	diffs, err := images.RootFS(ctx, u.store, manifest.Config)
	if err != nil {
		return err
	}
	if len(diffs) != len(manifest.Layers) {
		return fmt.Errorf("%w: %d layers, but its configuration has %d", ErrNotAnArchive, len(manifest.Layers), len(diffs))
	}
	var chain []digest.Digest
	for n, blob := range manifest.Layers {
		layer := rootfs.Layer{Blob: blob, Diff: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diffs[n]}}
		made, err := rootfs.ApplyLayerWithOpts(ctx, layer, chain, u.snapshotter, u.applier, nil, nil)
		if err != nil {
			return fmt.Errorf("layer %d: %w", n+1, err)
		}
		if made {
			if err := u.label(ctx, blob.Digest, "containerd.io/uncompressed", diffs[n]); err != nil {
				return err
			}
		}
		chain = append(chain, diffs[n])
	}
	return u.label(ctx, manifest.Config.Digest, u.rootLabel, identity.ChainID(chain))
}

func (u *unpacker) label(ctx context.Context, blob digest.Digest, label string, value digest.Digest) error {
	info := content.Info{Digest: blob, Labels: map[string]string{label: value.String()}}
	_, err := u.store.Update(ctx, info, "labels."+label)
	return err
}
