package critest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/cri"
)

// imageSize is what every fake image takes.
const imageSize = 4 << 20

type image struct {
	id     string
	tags   []string
	digest string // of the manifest
}

// published is an image in a registry.
type published struct {
	auth    cri.Auth // zero: anyone
	content string
	endless chan struct{} // not nil: closed by a pull, which then never ends
}

// imageService is CRI's ImageService.
type imageService struct {
	pb.UnimplementedImageServiceServer
	s *Server
}

// AddImage puts an image into the store under each of refs, and returns its id.
func (s *Server) AddImage(refs ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addImage(refs[0], refs...)
}

// Publish makes an image that can be pulled under each of refs, by anyone when
// auth is zero.
func (s *Server) Publish(auth cri.Auth, refs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range refs {
		s.published[fullReference(ref)] = published{auth: auth, content: refs[0]}
	}
}

// PublishEndless makes ref an image whose pull ends only when the caller gives
// up. The channel is closed when one is under way.
func (s *Server) PublishEndless(ref string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := make(chan struct{})
	s.published[fullReference(ref)] = published{content: ref, endless: begun}
	return begun
}

func (s *Server) addImage(content string, refs ...string) string {
	sum := sha256.Sum256([]byte(content))
	id := "sha256:" + hex.EncodeToString(sum[:])
	img := s.images[id]
	if img == nil {
		sum = sha256.Sum256(sum[:])
		img = &image{id: id, digest: "sha256:" + hex.EncodeToString(sum[:])}
		s.images[id] = img
	}
	for _, ref := range refs {
		full := fullReference(ref)
		s.untag(full)
		img.tags = append(img.tags, full)
	}
	return id
}

// untag takes a tag off the image that has it, as pushing the tag elsewhere does.
func (s *Server) untag(ref string) {
	for _, img := range s.images {
		for i, t := range img.tags {
			if t == ref {
				img.tags = append(img.tags[:i], img.tags[i+1:]...)
				break
			}
		}
	}
}

// findImage takes a reference, an image id or the beginning of one.
func (s *Server) findImage(ref string) *image {
	full := fullReference(ref)
	for id, img := range s.images {
		if ref == id || (len(ref) >= 12 && strings.HasPrefix(strings.TrimPrefix(id, "sha256:"), ref)) {
			return img
		}
		for _, t := range img.tags {
			if t == full || digestOf(t, img) == full {
				return img
			}
		}
	}
	return nil
}

// PullImage knows what Publish has made known.
func (r *imageService) PullImage(ctx context.Context, req *pb.PullImageRequest) (*pb.PullImageResponse, error) {
	s := r.s
	ref := req.GetImage().GetImage()
	s.mu.Lock()
	p, ok := s.published[fullReference(ref)]
	s.mu.Unlock()
	if p.endless != nil {
		close(p.endless)
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		return nil, status.Errorf(codes.NotFound,
			"failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", ref, ref, ref)
	}
	got := cri.Auth{Username: req.GetAuth().GetUsername(), Password: req.GetAuth().GetPassword()}
	if p.auth != (cri.Auth{}) && p.auth != got {
		return nil, status.Errorf(codes.Unknown,
			"failed to pull and unpack image %q: failed to resolve reference %q: unexpected status from HEAD request: 401 Unauthorized", ref, ref)
	}
	return &pb.PullImageResponse{ImageRef: s.addImage(p.content, ref)}, nil
}

// ImageStatus of an absent image is success without an image.
func (r *imageService) ImageStatus(_ context.Context, req *pb.ImageStatusRequest) (*pb.ImageStatusResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	img := s.findImage(req.GetImage().GetImage())
	if img == nil {
		return &pb.ImageStatusResponse{}, nil
	}
	return &pb.ImageStatusResponse{Image: img.toPB()}, nil
}

// ListImages implements CRI.
func (r *imageService) ListImages(context.Context, *pb.ListImagesRequest) (*pb.ListImagesResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := &pb.ListImagesResponse{}
	for _, img := range s.images {
		resp.Images = append(resp.Images, img.toPB())
	}
	sort.Slice(resp.Images, func(i, j int) bool { return resp.Images[i].Id < resp.Images[j].Id })
	return resp, nil
}

// RemoveImage takes every tag of the image along.
func (r *imageService) RemoveImage(_ context.Context, req *pb.RemoveImageRequest) (*pb.RemoveImageResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if img := s.findImage(req.GetImage().GetImage()); img != nil {
		delete(s.images, img.id)
	}
	return &pb.RemoveImageResponse{}, nil
}

// ImageFsInfo points at the fake's own directory.
func (r *imageService) ImageFsInfo(context.Context, *pb.ImageFsInfoRequest) (*pb.ImageFsInfoResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	return &pb.ImageFsInfoResponse{ImageFilesystems: []*pb.FilesystemUsage{{
		FsId:      &pb.FilesystemIdentifier{Mountpoint: s.dir},
		UsedBytes: &pb.UInt64Value{Value: uint64(len(s.images)) * imageSize},
	}}}, nil
}

func (i *image) toPB() *pb.Image {
	out := &pb.Image{Id: i.id, RepoTags: append([]string(nil), i.tags...), Size: imageSize}
	for _, t := range i.tags {
		out.RepoDigests = append(out.RepoDigests, digestOf(t, i))
	}
	return out
}

// digestOf is tag's repository at the image's digest.
func digestOf(tag string, i *image) string {
	repo := tag
	if colon := strings.LastIndex(tag, ":"); colon > strings.LastIndex(tag, "/") {
		repo = tag[:colon]
	}
	return repo + "@" + i.digest
}

// fullReference is ref in full, or as it is when it is none (an image id).
func fullReference(ref string) string {
	full, err := cri.NormalizeReference(ref)
	if err != nil {
		return ref
	}
	return full
}
