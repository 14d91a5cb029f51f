package critest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"vmctl/internal/cri"
)

// Registry is an image registry on 127.0.0.1, for real runtimes to pull from;
// containerd speaks plain HTTP to such. It has one image of busybox, under the
// names of Pulls and as Image.
type Registry struct {
	Image string
	Pulls Pulls

	server *httptest.Server
	mu     sync.Mutex
	begun  chan struct{} // closed by a pull of Pulls.Endless
	done   chan struct{} // ends those pulls
}

// registryAuth opens the repository "private".
var registryAuth = cri.Auth{Username: "vm", Password: "open sesame"}

// NewRegistry starts a registry that ends with the test. Its images are made of
// the host's static /bin/busybox (Debian: busybox-static).
func NewRegistry(t testing.TB) *Registry {
	t.Helper()
	r := &Registry{done: make(chan struct{})}
	store := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r.server = httptest.NewServer(r.guard(store))
	t.Cleanup(func() {
		close(r.done)
		r.server.Close()
	})
	host := strings.TrimPrefix(r.server.URL, "http://")
	r.Image = host + "/busybox:1"
	r.Pulls = Pulls{
		Public:  host + "/public:1",
		Twin:    host + "/public:2",
		Private: host + "/private:1",
		Auth:    registryAuth,
		Missing: host + "/missing:1",
		Endless: host + "/endless:1",
		Waiting: r.waiting,
	}
	layer, err := busyboxLayer("/bin/busybox")
	if err != nil {
		t.Fatalf("test image: %v", err)
	}
	for _, ref := range []string{r.Image, r.Pulls.Public, r.Pulls.Twin, r.Pulls.Private, r.Pulls.Endless} {
		if err := push(ref, layer); err != nil {
			t.Fatalf("test registry: %v", err)
		}
	}
	return r
}

func (r *Registry) waiting() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun = make(chan struct{})
	return r.begun
}

// guard asks for the password of "private", and never finishes "endless".
func (r *Registry) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		pulling := req.Method == http.MethodGet || req.Method == http.MethodHead
		switch {
		case strings.HasPrefix(req.URL.Path, "/v2/private/") && (cri.Auth{Username: user, Password: password}) != registryAuth:
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case strings.HasPrefix(req.URL.Path, "/v2/endless/blobs/") && req.Method == http.MethodGet:
			r.stall(req)
		case strings.HasPrefix(req.URL.Path, "/v2/missing/") && pulling:
			http.Error(w, `{"errors":[{"code":"NAME_UNKNOWN"}]}`, http.StatusNotFound)
		default:
			next.ServeHTTP(w, req)
		}
	})
}

func (r *Registry) stall(req *http.Request) {
	r.mu.Lock()
	if r.begun != nil {
		close(r.begun)
		r.begun = nil
	}
	r.mu.Unlock()
	select {
	case <-req.Context().Done():
	case <-r.done:
	}
}

// push makes an image of its own for every repository, so that removing one from
// a runtime does not take another along.
func push(ref string, layer v1.Layer) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	cfg := v1.Config{Cmd: []string{"/bin/sh"}, Env: []string{"PATH=/bin", "REPOSITORY=" + tag.RepositoryStr()}}
	if img, err = mutate.Config(img, cfg); err != nil {
		return err
	}
	auth := &authn.Basic{Username: registryAuth.Username, Password: registryAuth.Password}
	return remote.Write(tag, img, remote.WithAuth(auth))
}

// applets are the commands that the conformance suite's scripts use.
var applets = []string{
	"[", "cat", "echo", "false", "grep", "hostname", "httpd", "ip", "ls", "mkdir", "mount", "nc",
	"printf", "sh", "sleep", "sort", "stty", "test", "true",
}

// busyboxLayer is a file system with busybox and its applets.
func busyboxLayer(path string) (v1.Layer, error) {
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w (apt-get install busybox-static)", err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	entries := []tar.Header{{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755, Size: int64(len(binary))}}
	for _, dir := range []string{"tmp", "mnt", "etc", "proc", "sys", "dev"} {
		entries = append(entries, tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755})
	}
	for _, a := range applets {
		entries = append(entries, tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + a, Linkname: "busybox", Mode: 0o777})
	}
	for _, h := range entries {
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(binary); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	})
}
