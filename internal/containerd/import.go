package containerd

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	leasesapi "github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/core/leases"
	leaseproxy "github.com/containerd/containerd/v2/core/leases/proxy"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"

	"vmctl/internal/hint"
)

// ImportImage loads an OCI or Docker archive (plain, gzip or zstd), as `docker
// save`, `podman save` and `skopeo copy` write them, into the containerd that
// listens on socket, and returns the references under which CRI knows the images
// when it returns. Progress, which may be nil, is told how many bytes of the file
// were read.
//
// A socket that is not containerd's gives ErrNotContainerd, a file that is no
// archive ErrNotAnArchive.
//
// The archive is read by containerd's own library and sent over its gRPC services,
// which 1.6 and 2.x both have; the newer transfer service 1.6 has not. containerd's
// whole client would do the same, with many modules that nothing else here needs.
// Layers are unpacked too, as a pull does, so that no first start waits for that.
func ImportImage(ctx context.Context, socket, archivePath string, progress func(done, total int64)) ([]string, error) {
	f, err := os.Open(archivePath)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	conn, _, err := connectContainerd(ctx, socket)
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", archivePath, err)
	}
	defer func() { _ = conn.Close() }()
	ctx = log.WithLogger(namespaces.WithNamespace(ctx, criNamespace), silent())
	references, err := importFrom(ctx, conn, countReads(f, info.Size(), progress))
	if err != nil {
		return nil, fmt.Errorf("import %q: %w", archivePath, err)
	}
	return references, nil
}

// silent is a logger for containerd's library, which would else write to our
// standard error what it then returns as well.
func silent() *log.Entry {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	return logrus.NewEntry(logger)
}

// importFrom stores the archive's content, then its names. The lease keeps the
// content from being collected before it has a name.
func importFrom(ctx context.Context, conn *grpc.ClientConn, r io.Reader) ([]string, error) {
	ctx, release, err := withLease(ctx, conn)
	if err != nil {
		return nil, err
	}
	defer release()
	store := proxy.NewContentStore(conn)
	index, err := readArchive(ctx, store, r)
	if err != nil {
		return nil, err
	}
	manifests, err := images.Children(ctx, store, index)
	if err != nil {
		return nil, fmt.Errorf("read the archive's index: %w", err)
	}
	named, err := namesOf(manifests)
	if err != nil {
		return nil, err
	}
	unpacker, err := newUnpacker(ctx, conn, store)
	if err != nil {
		return nil, err
	}
	for _, n := range named {
		if err := n.check(ctx, store); err != nil {
			return nil, err
		}
		if err := unpacker.unpack(ctx, n.target); err != nil {
			return nil, fmt.Errorf("unpack image %q: %w", n.name, err)
		}
	}
	return registerAll(ctx, conn, named)
}

// readArchive stores all blobs and links each with its children, so that they are
// kept as long as it is.
func readArchive(ctx context.Context, store content.Store, r io.Reader) (ocispec.Descriptor, error) {
	plain, err := compression.DecompressStream(r)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("%w: %w", ErrNotAnArchive, err)
	}
	defer func() { _ = plain.Close() }()
	index, err := archive.ImportIndex(ctx, store, plain)
	if err != nil {
		return index, archiveError(ctx, err)
	}
	children := images.HandlerFunc(func(ctx context.Context, d ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		found, err := images.Children(ctx, store, d)
		if errdefs.IsNotFound(err) { // of another platform, left out of the archive
			return nil, images.ErrSkipDesc
		}
		return found, err
	})
	if err := images.WalkNotEmpty(ctx, images.SetChildrenLabels(store, children), index); err != nil {
		return index, archiveError(ctx, err)
	}
	return index, nil
}

// archiveError tells a bad file from a bad connection or a full disk, which come
// with containerd's own kinds of error.
func archiveError(ctx context.Context, err error) error {
	switch {
	case contextError(ctx) != nil:
		return contextError(ctx)
	case errdefs.IsUnavailable(err), errdefs.IsUnknown(err), errdefs.IsInternal(err), errdefs.IsResourceExhausted(err):
		return err
	}
	return hint.With(fmt.Errorf("%w: %w", ErrNotAnArchive, err), "make one with: docker save -o FILE IMAGE; or podman save -o FILE IMAGE")
}

// withLease makes a lease that containerd drops by itself after a day, should we
// be killed.
func withLease(ctx context.Context, conn *grpc.ClientConn) (context.Context, func(), error) {
	manager := leaseproxy.NewLeaseManager(leasesapi.NewLeasesClient(conn))
	lease, err := manager.Create(ctx, leases.WithRandomID(), leases.WithExpiration(24*time.Hour))
	if err != nil {
		return nil, nil, fmt.Errorf("make a lease: %w", err)
	}
	release := func() { _ = manager.Delete(context.WithoutCancel(ctx), lease) }
	return leases.WithLease(ctx, lease.ID), release, nil
}
