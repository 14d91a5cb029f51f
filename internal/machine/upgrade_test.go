package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/recipe"
)

const pulledImage = "127.0.0.1:5000/vm:1"

// upPulled makes and starts a machine of an image that is pulled by its tag.
func (r *rig) upPulled(t *testing.T, name string) {
	t.Helper()
	r.rt.Publish(cri.Auth{}, pulledImage)
	if _, err := r.Up(t.Context(), name, r.pulledRecipe(t), StartOptions{}, nil); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) pulledRecipe(t *testing.T) *recipe.Recipe {
	t.Helper()
	return parse(t, strings.ReplaceAll(rigRecipe, rigImage, pulledImage))
}

// push makes the tag mean another image.
func (r *rig) push() { r.rt.Publish(cri.Auth{}, "127.0.0.1:5000/vm:next", pulledImage) }

// runsOn is the ID of the image that the machine's last start ran.
func (r *rig) runsOnImage(t *testing.T, name string) string {
	t.Helper()
	h, err := r.open(name)
	if err != nil {
		t.Fatal(err)
	}
	return h.rec.Image.ID
}

func TestUpgradeAndRollback(t *testing.T) {
	r := newRig(t)
	r.upPulled(t, "demo")
	first := r.runsOnImage(t, "demo")
	if u, err := r.Upgrade(t.Context(), "demo", false, StartOptions{}, nil); err != nil || u.Newer || r.counter(t, "demo") != 1 {
		t.Errorf("nothing new: %+v, %v", u, err)
	}
	r.push()
	if u, err := r.Upgrade(t.Context(), "demo", true, StartOptions{}, nil); err != nil || !u.Newer || u.Snapshot != "" || r.counter(t, "demo") != 1 {
		t.Errorf("check: %+v, %v", u, err)
	}
	r.down(t, "demo")
	if r.up(t, "demo"); r.runsOnImage(t, "demo") != first {
		t.Error("a pull of its tag changed the image of a machine")
	}
	u, err := r.Upgrade(t.Context(), "demo", false, StartOptions{}, nil)
	if err != nil || !u.Newer || !u.Started || u.Snapshot == "" || r.runsOnImage(t, "demo") == first || r.counter(t, "demo") != 3 {
		t.Errorf("upgrade: %+v, %v, counter %d", u, err, r.counter(t, "demo"))
	}
	if used := r.rt.Containers()[0].Config.Image; used != pulledImage {
		t.Errorf("it runs on %s", used)
	}
	kept, started, err := r.Rollback(t.Context(), "demo", false, StartOptions{}, nil)
	if err != nil || !started || r.runsOnImage(t, "demo") != first || r.counter(t, "demo") != 3 {
		t.Errorf("rollback: %q, %v, counter %d", kept, err, r.counter(t, "demo"))
	}
	if used := r.rt.Containers()[0].Config.Image; used != first {
		t.Errorf("it runs on %s and not on %s", used, first)
	}
	if _, _, err := r.Rollback(t.Context(), "demo", false, StartOptions{}, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("a second rollback: %v", err)
	}
}

func TestRollbackOfTheImageAlone(t *testing.T) {
	r := newRig(t)
	r.upPulled(t, "demo")
	first := r.runsOnImage(t, "demo")
	r.down(t, "demo")
	r.push()
	if u, err := r.Upgrade(t.Context(), "demo", false, StartOptions{}, nil); err != nil || u.Started || u.Snapshot == "" {
		t.Errorf("upgrade of a machine that is stopped: %+v, %v", u, err)
	}
	r.up(t, "demo")
	kept, started, err := r.Rollback(t.Context(), "demo", true, StartOptions{}, nil)
	if err != nil || kept != "" || !started || r.runsOnImage(t, "demo") != first || r.counter(t, "demo") != 3 {
		t.Errorf("%q, %v, counter %d", kept, err, r.counter(t, "demo"))
	}
}

// TestPinnedImageGone: one that came from a registry is pulled by its digest, one of this
// host's own builds gives way, and any other is missed.
func TestPinnedImageGone(t *testing.T) {
	r := newRig(t)
	r.upPulled(t, "demo")
	h, err := r.open("demo")
	if err != nil {
		t.Fatal(err)
	}
	r.down(t, "demo")
	if err := r.Runtime.RemoveImage(t.Context(), pulledImage); err != nil {
		t.Fatal(err)
	}
	r.push()
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, cri.ErrNotFound) || r.counter(t, "demo") != 1 {
		t.Errorf("a start on an image that is nowhere: %v", err)
	}
	r.rt.Publish(cri.Auth{}, "127.0.0.1:5000/vm:1", h.rec.Image.Digest)
	r.up(t, "demo")
	if used := r.rt.Containers()[0].Config.Image; used != h.rec.Image.Digest {
		t.Errorf("it runs on %s", used)
	}
	r.down(t, "demo")

	h.rec.Image.Digest, h.rec.Image.ID = "", "sha256:0"
	if err := h.save(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrGuard) || r.counter(t, "demo") != 2 {
		t.Errorf("a start on another image in the place of an imported one: %v", err)
	}
	r.rt.Publish(cri.Auth{}, pulledImage)
	if u, err := r.Upgrade(t.Context(), "demo", false, StartOptions{}, nil); err != nil || u.Snapshot == "" {
		t.Errorf("upgrade past it: %+v, %v", u, err)
	}
	r.up(t, "demo")
}

// TestFailedUpgrade leaves the old image, and the machine up if it was.
func TestFailedUpgrade(t *testing.T) {
	r := newRig(t)
	r.upPulled(t, "demo")
	first := r.runsOnImage(t, "demo")
	r.push()
	link := filepath.Join(r.Store.Root(), "demo", "storage", "link")
	if err := os.Symlink("data.img", link); err != nil {
		t.Fatal(err)
	}
	if u, err := r.Upgrade(t.Context(), "demo", false, StartOptions{}, nil); err == nil || r.runsOnImage(t, "demo") != first {
		t.Errorf("an upgrade without a snapshot: %+v, %v", u, err)
	}
	if mc, err := r.Show(t.Context(), "demo"); err != nil || !mc.Phase.Up() || r.counter(t, "demo") != 2 {
		t.Errorf("after it: %s, %v, counter %d", mc.Phase, err, r.counter(t, "demo"))
	}
}
