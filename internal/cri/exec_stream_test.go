package cri

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// streamServer is the other side of ExecStream, as far as a test plays it: act
// is called with the streams that the client opened, by name.
func streamServer(t *testing.T, want int, act func(map[string]httpstream.Stream, io.Closer)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, err := httpstream.Handshake(req, w, []string{execProtocol}); err != nil {
			t.Error(err)
			return
		}
		arrived := make(chan httpstream.Stream, want)
		conn := spdy.NewResponseUpgrader().UpgradeResponse(w, req, func(s httpstream.Stream, _ <-chan struct{}) error {
			arrived <- s
			return nil
		})
		if conn == nil {
			t.Error("no upgrade")
			return
		}
		defer conn.Close()
		streams := map[string]httpstream.Stream{}
		for range want {
			s := <-arrived
			streams[s.Headers().Get("streamType")] = s
		}
		act(streams, conn)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func connect(t *testing.T, url string) *streamConn {
	t.Helper()
	conn, err := dialStream(t.Context(), url, execProtocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.abort)
	return conn
}

func TestRunExecResults(t *testing.T) {
	for _, test := range []struct {
		name   string
		status string
		code   int
		err    string
	}{
		{"success", `{"metadata":{},"status":"Success"}`, 0, ""},
		{"exit code", `{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`, 3, ""},
		{"could not run", `{"status":"Failure","reason":"InternalError","message":"exec failed: no such file"}`, -1, "exec failed: no such file"},
		{"exit code that is none", `{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"x"}]}}`, 0, "invalid syntax"},
		{"no JSON", `boom`, -1, "boom"},
		{"nothing", ``, -1, "connection lost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := streamServer(t, 2, func(s map[string]httpstream.Stream, _ io.Closer) {
				_, _ = io.WriteString(s["stdout"], "out")
				_ = s["stdout"].Close()
				_, _ = io.WriteString(s["error"], test.status)
				_ = s["error"].Close()
			})
			var out strings.Builder
			code, err := runExec(connect(t, url), ExecIO{Stdout: &out})
			if code != test.code || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("code %d, error %v; want %d, %q", code, err, test.code, test.err)
			}
			if out.String() != "out" {
				t.Errorf("output %q", out.String())
			}
		})
	}
}

func TestRunExecConnectionLost(t *testing.T) {
	url := streamServer(t, 2, func(_ map[string]httpstream.Stream, conn io.Closer) { conn.Close() })
	if _, err := runExec(connect(t, url), ExecIO{Stdout: io.Discard}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error = %v", err)
	}
}

// A writer that fails must not keep the command from ending.
func TestRunExecBrokenWriter(t *testing.T) {
	url := streamServer(t, 2, func(s map[string]httpstream.Stream, _ io.Closer) {
		_, _ = io.WriteString(s["stdout"], strings.Repeat("x", 1<<20))
		_ = s["stdout"].Close()
		_, _ = io.WriteString(s["error"], `{"status":"Success"}`)
		_ = s["error"].Close()
	})
	r, w := io.Pipe()
	r.CloseWithError(errors.New("nobody reads"))
	if code, err := runExec(connect(t, url), ExecIO{Stdout: w}); code != 0 || err != nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

func TestRunExecTerminal(t *testing.T) {
	url := streamServer(t, 4, func(s map[string]httpstream.Stream, _ io.Closer) {
		in, _ := io.ReadAll(s["stdin"])
		size := make([]byte, 64)
		n, _ := s["resize"].Read(size)
		_, _ = s["stdout"].Write(append(in, size[:n]...))
		_ = s["stdout"].Close()
		_, _ = io.WriteString(s["error"], `{"status":"Success"}`)
		_ = s["error"].Close()
	})
	sizes := make(chan Size, 1)
	sizes <- Size{Width: 80, Height: 25}
	var out strings.Builder
	_, err := runExec(connect(t, url), ExecIO{Stdin: strings.NewReader("keys "), Stdout: &out, TTY: true, Resize: sizes})
	if want := "keys {\"Width\":80,\"Height\":25}\n"; err != nil || out.String() != want {
		t.Errorf("got %q, %v; want %q", out.String(), err, want)
	}
}

func TestDialStreamFailures(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, err := httpstream.Handshake(req, w, []string{execProtocol}); err == nil {
			w.Header().Set(httpstream.HeaderProtocolVersion, "v1.channel.k8s.io")
			spdy.NewResponseUpgrader().UpgradeResponse(w, req, httpstream.NoOpNewStreamHandler)
		}
	}))
	defer other.Close()
	for name, test := range map[string]struct{ url, want string }{
		"used token":     {gone.URL, "404"},
		"no server":      {closed.URL, "refused"},
		"no address":     {"http://%zz", "streaming address"},
		"other protocol": {other.URL, "v1.channel.k8s.io"},
		"TLS to plain":   {strings.Replace(gone.URL, "http:", "https:", 1), "tls"},
	} {
		conn, err := dialStream(t.Context(), test.url, execProtocol)
		if err == nil {
			conn.abort()
			t.Errorf("%s: connected", name)
			continue
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %q lacks %q", name, err, test.want)
		}
	}
}

// A streaming server with a certificate of its own.
func TestDialStreamTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, err := httpstream.Handshake(req, w, []string{execProtocol}); err == nil {
			spdy.NewResponseUpgrader().UpgradeResponse(w, req, httpstream.NoOpNewStreamHandler)
		}
	}))
	defer srv.Close()
	conn, err := dialStream(t.Context(), srv.URL, execProtocol)
	if err != nil {
		t.Fatal(err)
	}
	conn.abort()
}

// A server that accepts and says nothing must not hold up a caller who leaves.
func TestDialStreamSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := dialStream(ctx, "http://"+l.Addr().String(), execProtocol); err == nil {
		t.Error("connected to silence")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
