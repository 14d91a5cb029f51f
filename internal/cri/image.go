package cri

import (
	"context"
	"fmt"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// PullImage pulls ref and returns the runtime's reference for it: an image ID on
// containerd, name@digest on CRI-O and cri-dockerd. ref is sent fully qualified,
// see NormalizeReference.
//
// There is no limit of time: a pull that is cancelled loses what it has of every
// unfinished layer. Cancelling ctx ends the pull on containerd and CRI-O;
// cri-dockerd goes on in the background.
func (c *Client) PullImage(ctx context.Context, ref string, auth Auth) (string, error) {
	full, err := NormalizeReference(ref)
	if err != nil {
		return "", err
	}
	r, err := c.images.PullImage(ctx, &pb.PullImageRequest{Image: &pb.ImageSpec{Image: full}, Auth: auth.toPB()})
	if err != nil {
		return "", fmt.Errorf("pull image %q: %w", full, fromRPC(ctx, err))
	}
	return r.ImageRef, nil
}

// toPB leaves the server address out: containerd drops credentials whose address
// is not literally the host that it contacts.
func (a Auth) toPB() *pb.AuthConfig {
	if a == (Auth{}) {
		return nil
	}
	return &pb.AuthConfig{Username: a.Username, Password: a.Password}
}

// Image looks ref, a reference or an image ID, up in the runtime's store. An
// absent image is ErrNotFound.
func (c *Client) Image(ctx context.Context, ref string) (Image, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.images.ImageStatus(ctx, &pb.ImageStatusRequest{Image: &pb.ImageSpec{Image: ref}})
	if err != nil {
		return Image{}, fmt.Errorf("image %q: %w", ref, fromRPC(ctx, err))
	}
	if r.Image == nil {
		return Image{}, fmt.Errorf("image %q: %w", ref, ErrNotFound)
	}
	return imageFromPB(r.Image), nil
}

// ListImages lists the runtime's store.
func (c *Client) ListImages(ctx context.Context) ([]Image, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.images.ListImages(ctx, &pb.ListImagesRequest{})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", fromRPC(ctx, err))
	}
	list := make([]Image, 0, len(r.Images))
	for _, p := range r.Images {
		list = append(list, imageFromPB(p))
	}
	return list, nil
}

// RemoveImage removes the image that ref names, with all its other tags too: CRI
// removes images, not tags. An absent image is success.
func (c *Client) RemoveImage(ctx context.Context, ref string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	_, err := c.images.RemoveImage(ctx, &pb.RemoveImageRequest{Image: &pb.ImageSpec{Image: ref}})
	if err := ignoreNotFound(fromRPC(ctx, err)); err != nil {
		return fmt.Errorf("remove image %q: %w", ref, err)
	}
	return nil
}

// ImageFilesystem says where images are kept and how much they take. containerd's
// number is up to ten seconds old, and 0 right after its start.
func (c *Client) ImageFilesystem(ctx context.Context) (FilesystemUsage, error) {
	ctx, cancel := context.WithTimeout(ctx, quickLimit)
	defer cancel()
	r, err := c.images.ImageFsInfo(ctx, &pb.ImageFsInfoRequest{})
	if err != nil {
		return FilesystemUsage{}, fmt.Errorf("image file system: %w", fromRPC(ctx, err))
	}
	if len(r.ImageFilesystems) == 0 {
		return FilesystemUsage{}, fmt.Errorf("image file system: %w", ErrNotFound)
	}
	fs := r.ImageFilesystems[0]
	return FilesystemUsage{Mountpoint: fs.GetFsId().GetMountpoint(), UsedBytes: fs.GetUsedBytes().GetValue()}, nil
}

func imageFromPB(p *pb.Image) Image {
	return Image{ID: p.Id, Tags: p.RepoTags, Digests: p.RepoDigests, Size: p.Size}
}
