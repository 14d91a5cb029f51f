package cri

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// A runtime that dies ends all streams. What came so far must not be taken for all there
// was.
func TestPortConnLost(t *testing.T) {
	hijacked := make(chan net.Conn, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, err := httpstream.Handshake(req, w, []string{portForwardProtocol}); err != nil {
			t.Error(err)
			return
		}
		spdy.NewResponseUpgrader().UpgradeResponse(w, req, func(s httpstream.Stream, _ <-chan struct{}) error {
			if s.Headers().Get("streamType") == "data" {
				go func() { _, _ = io.WriteString(s, "part") }()
			}
			return nil
		})
	}))
	srv.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateHijacked {
			hijacked <- c
		}
	}
	srv.Start()
	defer srv.Close()
	conn, err := dialStream(t.Context(), srv.URL, portForwardProtocol)
	if err != nil {
		t.Fatal(err)
	}
	p, err := openPort(conn, 80)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := io.ReadFull(p, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	(<-hijacked).Close()
	if n, err := p.Read(make([]byte, 1)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%d bytes, %v", n, err)
	}
}
