package critest

import (
	"context"
	"slices"
	"time"

	"vmctl/internal/cri"
)

func imageTests() []conformanceTest {
	return []conformanceTest{
		{name: "the present one is found by name and by id", run: testImagePresent},
		{name: "an absent one is not found", run: testImageAbsent},
		{name: "pull, list, remove", run: testImagePull},
		{name: "remove takes every tag", run: testImageTwin},
		{name: "pull of what does not exist", run: testImagePullMissing},
		{name: "pull with the right password, and without", run: testImagePullPrivate},
		{name: "a pull that is cancelled", run: testImagePullCancelled},
		{name: "a reference that is none", run: testImageBadReference},
		{name: "file system", run: testImageFilesystem},
	}
}

func testImagePresent(b *bench) {
	img, err := b.c.Image(b.ctx, b.Image)
	b.must(err)
	full, err := cri.NormalizeReference(b.Image)
	b.must(err)
	if img.ID == "" || img.Size == 0 || !slices.Contains(img.Tags, full) {
		b.Errorf("image = %+v", img)
	}
	byID, err := b.c.Image(b.ctx, img.ID)
	b.must(err)
	if byID.ID != img.ID {
		b.Errorf("found %q by the id %q", byID.ID, img.ID)
	}
}

func testImageAbsent(b *bench) {
	_, err := b.c.Image(b.ctx, "localhost/no-such-image:1")
	b.want(err, cri.ErrNotFound)
	b.must(b.c.RemoveImage(b.ctx, "localhost/no-such-image:1"))
}

func testImagePull(b *bench) {
	ref := b.Registry.Public
	b.Cleanup(func() { b.must(b.c.RemoveImage(b.ctx, ref)) })
	id, err := b.c.PullImage(b.ctx, ref, cri.Auth{})
	b.must(err)
	img, err := b.c.Image(b.ctx, ref)
	b.must(err)
	if id == "" || !slices.Contains(img.Tags, ref) || len(img.Digests) == 0 {
		b.Errorf("pulled %q: %+v", id, img)
	}
	list, err := b.c.ListImages(b.ctx)
	b.must(err)
	if !slices.ContainsFunc(list, func(i cri.Image) bool { return i.ID == img.ID }) {
		b.Errorf("%q is not in the list", img.ID)
	}
	_, err = b.c.PullImage(b.ctx, ref, cri.Auth{}) // again is fine
	b.must(err)
	b.must(b.c.RemoveImage(b.ctx, ref))
	_, err = b.c.Image(b.ctx, ref)
	b.want(err, cri.ErrNotFound)
}

func testImageTwin(b *bench) {
	for _, ref := range []string{b.Registry.Public, b.Registry.Twin} {
		_, err := b.c.PullImage(b.ctx, ref, cri.Auth{})
		b.must(err)
		b.Cleanup(func() { b.must(b.c.RemoveImage(b.ctx, ref)) })
	}
	b.must(b.c.RemoveImage(b.ctx, b.Registry.Twin))
	_, err := b.c.Image(b.ctx, b.Registry.Public)
	b.want(err, cri.ErrNotFound)
}

func testImagePullMissing(b *bench) {
	_, err := b.c.PullImage(b.ctx, b.Registry.Missing, cri.Auth{})
	b.want(err, cri.ErrNotFound)
}

func testImagePullPrivate(b *bench) {
	ref := b.Registry.Private
	b.Cleanup(func() { b.must(b.c.RemoveImage(b.ctx, ref)) })
	wrong := b.Registry.Auth
	wrong.Password += "x"
	for name, auth := range map[string]cri.Auth{"none": {}, "wrong": wrong} {
		if _, err := b.c.PullImage(b.ctx, ref, auth); err == nil {
			b.Errorf("pull with password %s succeeded", name)
		}
		_, err := b.c.Image(b.ctx, ref)
		b.want(err, cri.ErrNotFound)
	}
	_, err := b.c.PullImage(b.ctx, ref, b.Registry.Auth)
	b.must(err)
}

func testImagePullCancelled(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	waiting := b.Registry.Waiting()
	failed := make(chan error, 1)
	go func() {
		_, err := b.c.PullImage(ctx, b.Registry.Endless, cri.Auth{})
		failed <- err
	}()
	select {
	case <-waiting:
	case err := <-failed:
		b.Fatalf("pull ended by itself: %v", err)
	}
	begin := time.Now()
	cancel()
	b.want(<-failed, context.Canceled)
	if took := time.Since(begin); took > 5*time.Second {
		b.Errorf("took %v to give up", took)
	}
	_, err := b.c.Image(b.ctx, b.Registry.Endless)
	b.want(err, cri.ErrNotFound)
}

func testImageBadReference(b *bench) {
	for _, ref := range []string{"", "a/UPPER", "a b", "http://example.org/x"} {
		if _, err := b.c.PullImage(b.ctx, ref, cri.Auth{}); err == nil {
			b.Errorf("pull of %q succeeded", ref)
		}
	}
}

func testImageFilesystem(b *bench) {
	fs, err := b.c.ImageFilesystem(b.ctx)
	b.must(err)
	if fs.Mountpoint == "" {
		b.Errorf("file system = %+v", fs)
	}
}
