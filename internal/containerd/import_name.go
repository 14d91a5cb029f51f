package containerd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/hint"
)

// namedImage is an image of an archive with one of its names.
type namedImage struct {
	name   string // canonical, such as docker.io/library/alpine:3
	digest string // the same name with the digest, as a pull leaves it behind; may be ""
	target ocispec.Descriptor
}

// namesOf reads the names from an archive's index. One without any is an error: CRI
// could not be asked for it.
func namesOf(manifests []ocispec.Descriptor) ([]namedImage, error) {
	var all []namedImage
	for _, m := range manifests {
		text := m.Annotations[images.AnnotationImageName]
		if text == "" {
			text = m.Annotations[ocispec.AnnotationRefName]
		}
		if !strings.ContainsAny(text, "/:") { // nothing, or a bare tag
			continue
		}
		ref, err := reference.ParseDockerRef(text)
		if err != nil {
			return nil, fmt.Errorf("%w: image name %q: %w", ErrNotAnArchive, text, err)
		}
		n := namedImage{name: ref.String(), target: m}
		if d, err := reference.WithDigest(reference.TrimNamed(ref), m.Digest); err == nil {
			n.digest = d.String()
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil, hint.With(fmt.Errorf("%w: no image in it has a name", ErrNotAnArchive),
			"name it when saving: docker save NAME:TAG; or skopeo copy ... docker-archive:FILE:NAME:TAG")
	}
	return all, nil
}

// check makes sure that there is an image for this machine under the name.
func (n namedImage) check(ctx context.Context, store content.Store) error {
	_, err := images.Config(ctx, store, n.target, platforms.Default())
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("%q is not in the archive for %s", n.name, platforms.DefaultString())
	}
	return err
}

// registerAll gives the images their names and waits until CRI knows them.
func registerAll(ctx context.Context, conn *grpc.ClientConn, named []namedImage) ([]string, error) {
	var references []string
	for _, n := range named {
		for _, name := range []string{n.name, n.digest} {
			if name == "" {
				continue
			}
			if err := register(ctx, conn, name, n.target); err != nil {
				return nil, fmt.Errorf("name image %q: %w", name, err)
			}
		}
		references = append(references, n.name)
	}
	for _, name := range references {
		if err := waitForCRI(ctx, conn, name); err != nil {
			return nil, err
		}
	}
	return references, nil
}

// register creates the name or lets it point elsewhere.
func register(ctx context.Context, conn *grpc.ClientConn, name string, target ocispec.Descriptor) error {
	client := imagesapi.NewImagesClient(conn)
	image := &imagesapi.Image{Name: name, Target: &types.Descriptor{
		MediaType: target.MediaType, Digest: target.Digest.String(), Size: target.Size,
	}}
	_, err := client.Create(ctx, &imagesapi.CreateImageRequest{Image: image})
	if status.Code(err) == codes.AlreadyExists {
		_, err = client.Update(ctx, &imagesapi.UpdateImageRequest{
			Image: image, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"target"}},
		})
	}
	return err
}

// waitForCRI waits until CRI, which learns of images by events, knows this one.
func waitForCRI(ctx context.Context, conn *grpc.ClientConn, name string) error {
	const limit = 15 * time.Second
	client := cri.NewImageServiceClient(conn)
	request := &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}}
	var err error
	known := waitUntil(ctx, limit, func() bool {
		var answer *cri.ImageStatusResponse
		answer, err = client.ImageStatus(ctx, request)
		return err == nil && answer.GetImage() != nil || status.Code(err) == codes.Unimplemented
	})
	if known && err == nil {
		return nil
	}
	if err == nil {
		err = errors.New("it does not list it")
	}
	return fmt.Errorf("image %q is stored, but CRI does not know it: %w", name, errors.Join(err, ctx.Err()))
}
