package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// imagePin is the one image that a machine runs on: a tag may come to mean another one, by
// a pull for something else, and the new one may take the disk for something that it is not.
type imagePin struct {
	Ref string `json:"ref"` // what the recipe said, in full
	ID  string `json:"id"`  // the runtime's
	// Digest is what to pull where the runtime has it no more, "NAME@sha256:...". It is
	// empty for an image that came from a file.
	Digest string `json:"digest,omitempty"`
}

// pinOf is the pin of an image that the runtime has under the full reference ref.
func pinOf(ref string, image cri.Image) imagePin {
	p := imagePin{Ref: ref, ID: image.ID}
	for _, d := range image.Digests {
		if name, _, _ := strings.Cut(d, "@"); strings.HasPrefix(ref, name) && !local(ref) {
			p.Digest = d
		}
	}
	return p
}

// local tells of a reference whether its image can only come from a file.
func local(ref string) bool { return strings.HasPrefix(ref, "localhost/") }

// is reports whether an image is the pinned one.
func (p imagePin) is(image cri.Image) bool {
	return p.same(imagePin{ID: image.ID}) || p.Digest != "" && slices.Contains(image.Digests, p.Digest)
}

// same reports whether two pins are of one image. Runtimes differ in how they write an ID.
func (p imagePin) same(o imagePin) bool {
	return strings.TrimPrefix(p.ID, "sha256:") == strings.TrimPrefix(o.ID, "sha256:") || p.Digest != "" && p.Digest == o.Digest
}

// String is what tells it from other images to a person.
func (p imagePin) String() string { return either(p.short(), "an unknown image") }

func (p imagePin) short() string {
	text := either(p.Digest, p.ID)
	if _, digest, ok := strings.Cut(text, "@"); ok {
		text = digest
	}
	return fmt.Sprintf("%.12s", strings.TrimPrefix(text, "sha256:"))
}

// machineImage returns the image to start a machine on, and notes it in the record: the
// one that it ran on before, wherever that can still be had, also where the tag means another
// one by now. That changes with Upgrade, or with another image in the recipe.
func (m *Manager) machineImage(ctx context.Context, h *handle, report Reporter) (string, error) {
	ref, err := cri.NormalizeReference(h.recipe.Image)
	if err != nil {
		return "", err
	}
	if pin := h.rec.Image; pin.Ref == ref {
		image, err := m.havePinned(ctx, pin, report)
		if !errors.Is(err, cri.ErrNotFound) || image != "" {
			return image, hint.With(err, "go on with the newest, after a snapshot: vmctl upgrade %s", h.name)
		}
		if !local(ref) {
			err := fmt.Errorf("%w: the image that it ran on (%s of %s) came from a file and is not there any more", ErrGuard, pin, ref)
			return "", hint.With(err, "load it again: vmctl image import FILE; or go on with the newest, after a snapshot: vmctl upgrade %s", h.name)
		}
		report.note(fmt.Sprintf("the image that it ran on (%s) is not there any more; it runs on what was imported as %s since", pin, ref))
	}
	if ref, err = m.ensureImage(ctx, ref, report); err != nil {
		return "", err
	}
	image, err := m.Runtime.Image(ctx, ref)
	if err == nil {
		h.rec.Image = pinOf(ref, image)
	}
	return ref, err
}

// havePinned returns a reference of the pinned image, which is pulled where it is not there.
// Where it neither is nor can be, the reference is "" and the error cri.ErrNotFound.
func (m *Manager) havePinned(ctx context.Context, pin imagePin, report Reporter) (string, error) {
	for _, name := range []string{pin.Ref, pin.ID, pin.Digest} {
		if name == "" {
			continue
		}
		image, err := m.Runtime.Image(ctx, name)
		switch {
		case err == nil && pin.is(image) && name == pin.Ref:
			return name, nil
		case err == nil && pin.is(image):
			return image.ID, nil
		case err != nil && !errors.Is(err, cri.ErrNotFound):
			return pin.Ref, err
		}
	}
	if pin.Digest == "" {
		return "", fmt.Errorf("image %s: %w", pin, cri.ErrNotFound)
	}
	return pin.Digest, m.Pull(ctx, pin.Digest, report)
}
