package cri_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/hint"
)

// dial connects to a fake for the time of a test.
func dial(t *testing.T, rt *critest.Server) *cri.Client {
	t.Helper()
	c, err := cri.Dial(t.Context(), rt.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestDial(t *testing.T) {
	rt := critest.NewServer(t)
	path := strings.TrimPrefix(rt.Endpoint(), "unix://")
	for _, endpoint := range []string{rt.Endpoint(), path, "unix:" + path} {
		c, err := cri.Dial(t.Context(), endpoint)
		if err != nil {
			t.Errorf("%q: %v", endpoint, err)
			continue
		}
		if got := c.Endpoint(); got != rt.Endpoint() {
			t.Errorf("%q: endpoint %q, want %q", endpoint, got, rt.Endpoint())
		}
		c.Close()
	}
	t.Chdir(filepath.Dir(path))
	c, err := cri.Dial(t.Context(), filepath.Base(path))
	if err != nil {
		t.Fatalf("relative path: %v", err)
	}
	c.Close()
}

func TestDialBadEndpoint(t *testing.T) {
	for _, endpoint := range []string{"", "unix://", "tcp://127.0.0.1:1", "unix:///x\x00://"} {
		if _, err := cri.Dial(t.Context(), endpoint); err == nil {
			t.Errorf("%q was accepted", endpoint)
		}
	}
}

func TestDialFailures(t *testing.T) {
	const denied = `connection error: desc = "transport: Error while dialing: dial unix /x: connect: permission denied"`
	for _, test := range []struct {
		name    string
		server  func(t *testing.T) string // returns the endpoint
		want    error
		text    string // in the error
		hint    string // in the hint
		notThat error
	}{
		{
			name:   "no socket",
			server: func(t *testing.T) string { return filepath.Join(t.TempDir(), "none.sock") },
			want:   cri.ErrUnavailable, text: "no such file", hint: "vmctl runtime start",
		},
		{
			name: "stale socket",
			server: func(t *testing.T) string {
				rt := critest.NewServer(t)
				rt.Stop()
				return rt.Endpoint()
			},
			want: cri.ErrUnavailable, text: "connection refused", hint: "vmctl runtime start",
		},
		{
			name: "no right to it",
			server: func(t *testing.T) string {
				rt := critest.NewServer(t)
				rt.At("Version", 1).Fail(codes.Unavailable, denied)
				return rt.Endpoint()
			},
			want: cri.ErrPermission, text: "permission denied", hint: "sudo", notThat: cri.ErrUnavailable,
		},
		{
			name: "containerd without CRI",
			server: func(t *testing.T) string {
				p := critest.Containerd2()
				p.NoCRI = true
				return critest.NewServer(t, critest.WithProfile(p)).Endpoint()
			},
			want: cri.ErrCRIDisabled, text: "v2.4.2", hint: "disabled_plugins", notThat: cri.ErrUnimplemented,
		},
		{
			name: "something else that speaks gRPC",
			server: func(t *testing.T) string {
				return critest.NewServer(t, critest.WithProfile(critest.Profile{Name: "other", NoCRI: true})).Endpoint()
			},
			want: cri.ErrUnimplemented, hint: "not a CRI v1 runtime", notThat: cri.ErrCRIDisabled,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			endpoint := test.server(t)
			_, err := cri.Dial(t.Context(), endpoint)
			if !errors.Is(err, test.want) || test.notThat != nil && errors.Is(err, test.notThat) {
				t.Fatalf("error %v does not match %v alone", err, test.want)
			}
			if !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), endpoint) {
				t.Errorf("error %q lacks %q or the endpoint", err, test.text)
			}
			if got := hint.Of(err); !strings.Contains(got, test.hint) {
				t.Errorf("hint %q lacks %q", got, test.hint)
			}
		})
	}
}

// A socket on which nobody speaks must not hold anybody up.
func TestDialSilence(t *testing.T) {
	dir, err := os.MkdirTemp("", "cri")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := cri.Dial(ctx, filepath.Join(dir, "s")); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cri.ErrTimeout) {
		t.Errorf("error = %v", err)
	}
}

func TestReconnect(t *testing.T) {
	rt := critest.NewServer(t)
	c := dial(t, rt)
	rt.Stop()
	if _, err := c.Version(t.Context()); !errors.Is(err, cri.ErrUnavailable) {
		t.Fatalf("version of a dead runtime: %v", err)
	}
	if err := rt.Restart(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := c.Version(t.Context())
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no connection ten seconds after the restart: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
