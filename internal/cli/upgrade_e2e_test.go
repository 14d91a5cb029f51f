//go:build e2e

package cli

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"vmctl/internal/cri"
)

// demoRegistry is a registry on this host, where containerd speaks plain HTTP. Each push
// makes the tag mean the demo image with another label, and removes the one before.
func demoRegistry(t *testing.T) (ref string, push func(label string) v1.Hash) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	ref = strings.TrimPrefix(server.URL, "http://") + "/demo:1"
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	demo, err := tarball.ImageFromPath(os.Getenv("VMCTL_E2E_DEMO"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ref, func(label string) v1.Hash {
		t.Helper()
		file, err := demo.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config := *file.Config.DeepCopy()
		config.Env = append(config.Env, "EDITION="+label)
		image, err := mutate.Config(demo, config)
		if err == nil {
			err = remote.Write(tag, image)
		}
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
}

// TestE2EUpgrade: a real guest on one tag that comes to mean another image, and back.
func TestE2EUpgrade(t *testing.T) {
	t.Parallel()
	endpoint := oneRuntime(t, "containerd-1")["containerd-1"]
	ref, push := demoRegistry(t)
	first := push("one")
	u := newUser(t, endpoint)
	u.deleteAtEnd("demo")
	client, err := cri.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	forget := func() { // as a runtime that cleans up
		for _, name := range []string{ref, strings.TrimSuffix(ref, ":1") + "@" + first.String()} {
			if err := client.RemoveImage(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	is := func(edition string, counter int) {
		t.Helper()
		if got := strings.TrimSpace(u.run("exec", "demo", "--", "printenv", "EDITION")); got != edition {
			t.Errorf("it runs edition %q, want %q", got, edition)
		}
		if n := u.counter("demo"); n != counter {
			t.Errorf("counter = %d, want %d", n, counter)
		}
	}
	u.run(append([]string{"up", "demo", "--set", "image=" + ref}, anyPorts()...)...)
	is("one", 1)
	second := push("two")
	if out := u.run("upgrade", "--check", "demo"); !strings.Contains(out, first.Hex[:12]) || !strings.Contains(out, second.Hex[:12]) {
		t.Errorf("upgrade --check said %q", out)
	}
	u.run("restart", "demo") // the runtime has the new one already, under the tag
	is("one", 2)
	u.run("upgrade", "demo")
	is("two", 3)
	if out := u.run("upgrade", "demo"); !strings.Contains(out, "newest image already") {
		t.Errorf("a second upgrade said %q", out)
	}
	u.run("stop", "demo")
	forget()
	u.run("rollback", "--yes", "demo") // pulled by its digest
	u.run("start", "demo")
	is("one", 3)
	u.run("delete", "demo", "--force", "--storage", "--yes")
	testNothingLeft(t, endpoint)
}
