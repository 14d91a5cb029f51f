package viewer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/hint"
)

func TestPage(t *testing.T) {
	for _, c := range []struct {
		name string
		code int
		body string
		want Status
	}{
		{"starting", 200, `<p class="loading">Starting QEMU for Docker</p>`, Status{Starting, "Starting QEMU for Docker", -1}},
		{"network", 200, `<p class="loading">Initializing network</p>`, Status{Starting, "Initializing network", -1}},
		{"percent", 200, `<p class="loading">Downloading Windows 11 (45.3%)</p>`, Status{Installing, "Downloading Windows 11", 45.3}},
		{"whole percent", 200, "Downloading image (2%)\n", Status{Installing, "Downloading image", 2}},
		{"percent, then dots", 200, `Downloading macOS Sonoma (7.5%)...`, Status{Installing, "Downloading macOS Sonoma", 7.5}},
		{"a percentage that cannot be", 200, `Copying (250%)`, Status{Installing, "Copying (250%)", -1}},
		{"percentage in the middle", 200, `Booting (50%) of it`, Status{Starting, "Booting (50%) of it", -1}},
		{"size", 200, `<p class="loading">Downloading win.iso (1.2 GB)</p>`, Status{Installing, "Downloading win.iso (1.2 GB)", -1}},
		{"size of something unheard of", 200, `Frobnicating (16 MiB)`, Status{Installing, "Frobnicating (16 MiB)", -1}},
		{"build", 200, `<p class="loading">Building Windows 11 image</p>`, Status{Installing, "Building Windows 11 image", -1}},
		{"retry", 200, `<p class="loading">Retrying failed download in 5 seconds</p>`, Status{Installing, "Retrying failed download in 5 seconds", -1}},
		{"entities and tags", 200, "A &amp; B&nbsp;&lt;C&gt;<br>D", Status{Starting, "A & B <C> D", -1}},
		{"empty, being written", 200, "", Status{Starting, "", -1}},
		{"markup without text", 200, "<p></p>", Status{Starting, "", -1}},
		{"gone", 404, "<h1>404</h1>", Status{Ready, "", -1}},
		{"noVNC instead", 200, "<!DOCTYPE html><HTML><body>", Status{Ready, "", -1}},
		{"noVNC instead, as upstream looks for it", 200, "<html>\n<body>Downloading (3%)", Status{Ready, "", -1}},
		{"DISPLAY=vnc", 200, "You can now connect to VNC on port 5900.", Status{Ready, "You can now connect to VNC on port 5900", -1}},
		{"DISPLAY=none", 200, "Windows booted successfully.", Status{Ready, "Windows booted successfully", -1}},
		{"gateway", 502, "x", Status{Down, "answers 502 Bad Gateway", -1}},
		{"unavailable", 503, "", Status{Down, "answers 503 Service Unavailable", -1}},
		{"timeout", 504, "", Status{Down, "answers 504 Gateway Timeout", -1}},
		{"moved", 302, "", Status{Down, "answers 302 Found", -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/msg.html" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.code)
				_, _ = w.Write([]byte(c.body))
			}))
			defer s.Close()
			got, err := Poll(t.Context(), s.URL, Auth{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPollBaseWithSlash(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if got, err := Poll(t.Context(), s.URL+"/", Auth{}); err != nil || got.State != Ready {
		t.Errorf("Poll = %+v, %v", got, err)
	}
}

func TestPollAuth(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if !ok || user != "Docker" || password != "admin" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.NotFound(w, r)
	}))
	defer s.Close()
	for _, a := range []Auth{{}, {"Docker", "wrong"}} {
		got, err := Poll(t.Context(), s.URL, a)
		if !errors.Is(err, ErrUnauthorized) || got.State != Down || hint.Of(err) == "" {
			t.Errorf("%+v: %+v, %v; want ErrUnauthorized", a, got, err)
		}
	}
	if got, err := Poll(t.Context(), s.URL, Auth{"Docker", "admin"}); err != nil || got.State != Ready {
		t.Errorf("right password: %+v, %v", got, err)
	}
}

func TestPollNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	if got, err := Poll(t.Context(), closed, Auth{}); err != nil || got != down("refuses connections") {
		t.Errorf("refused: %+v, %v", got, err)
	}

	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	defer cut.Close()
	if got, err := Poll(t.Context(), cut.URL, Auth{}); err != nil || got != down("breaks connections") {
		t.Errorf("cut off: %+v, %v", got, err)
	}
	short := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("Download"))
	}))
	defer short.Close()
	if got, err := Poll(t.Context(), short.URL, Auth{}); err != nil || got != down("breaks connections") {
		t.Errorf("cut off in the body: %+v, %v", got, err)
	}
}

func TestPollTimeoutIsDown(t *testing.T) {
	got, err := silent(t.Context(), context.DeadlineExceeded) // as http.Client.Timeout reports it
	if err != nil || got != down("does not answer") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPollErrors(t *testing.T) {
	for _, base := range []string{"", "127.0.0.1:8006", "ftp://x", "http://", "http://[::1", "http://x\x7f"} {
		if got, err := Poll(t.Context(), base, Auth{}); err == nil || got.State != Down {
			t.Errorf("Poll(%q) = %+v, %v; want an error", base, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Poll(ctx, "http://127.0.0.1:1", Auth{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPollIgnoresProxies(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	if got, err := Poll(t.Context(), s.URL, Auth{}); err != nil || got.State != Ready {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWatch(t *testing.T) {
	pages := []string{"Starting", "Starting", "Downloading (1%)", "Downloading (1%)", "Downloading (2%)", ""}
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := pages[min(n, len(pages)-1)]
		n++
		if page == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(page))
	}))
	defer s.Close()
	var got []string
	err := Watch(t.Context(), s.URL, Auth{}, time.Millisecond, func(s Status) bool {
		got = append(got, s.State.String())
		return s.State != Ready
	})
	if diff := cmp.Diff([]string{"starting", "installing", "installing", "ready"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := Watch(ctx, "http://127.0.0.1:1", Auth{}, time.Hour, func(s Status) bool {
		if s.State != Down {
			t.Errorf("got %+v", s)
		}
		cancel()
		return true
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want context.Canceled", err)
	}
	if err := Watch(t.Context(), "nonsense", Auth{}, time.Hour, nil); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("Watch = %v", err)
	}
}
