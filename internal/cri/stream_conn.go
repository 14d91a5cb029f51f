package cri

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// streamPing keeps an idle connection from being taken for dead.
const streamPing = 5 * time.Second

// streamConn is a connection to a runtime's streaming server, which carries
// several streams (SPDY/3.1).
type streamConn struct {
	httpstream.Connection
	raw  net.Conn
	lost atomic.Bool // the runtime's side is gone: its streams end as if they had been ended
}

// abort ends the connection at once. Connection.Close would wait for streams that
// nobody reads (moby/spdystream has no flow control).
func (c *streamConn) abort() {
	_ = c.raw.Close()
	_ = c.Close()
}

// dialStream connects to the address that a CRI streaming call has returned. It
// works once: the token in it is used up.
func dialStream(ctx context.Context, address, protocol string) (*streamConn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("streaming address: %w", err)
	}
	raw, err := dialStreamServer(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("streaming server: %w", err)
	}
	// A server that does not answer must not hold up a caller who gives up.
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if err := upgrade(raw, u, protocol); err != nil {
		raw.Close()
		return nil, fmt.Errorf("streaming server: %w", err)
	}
	c := &streamConn{raw: raw}
	if c.Connection, err = spdy.NewClientConnectionWithPings(newFrameConn(raw, &c.lost), streamPing); err != nil {
		raw.Close()
		return nil, fmt.Errorf("streaming server: %w", err)
	}
	return c, nil
}

// dialStreamServer accepts any certificate: runtimes sign their own, and the
// address came over the trusted socket.
func dialStreamServer(ctx context.Context, u *url.URL) (net.Conn, error) {
	if u.Scheme == "https" {
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		return d.DialContext(ctx, "tcp", u.Host)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", u.Host)
}

// upgrade turns the fresh connection into a SPDY one that speaks protocol.
func upgrade(raw net.Conn, u *url.URL, protocol string) error {
	req, err := http.NewRequest(http.MethodPost, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set(httpstream.HeaderConnection, httpstream.HeaderUpgrade)
	req.Header.Set(httpstream.HeaderUpgrade, spdy.HeaderSpdy31)
	req.Header.Set(httpstream.HeaderProtocolVersion, protocol)
	if err := req.Write(raw); err != nil {
		return err
	}
	// The server speaks next only when it is spoken to, so nothing of the SPDY
	// connection can be left in this buffer.
	resp, err := http.ReadResponse(bufio.NewReader(raw), req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	if got := resp.Header.Get(httpstream.HeaderProtocolVersion); got != protocol {
		return fmt.Errorf("speaks %q instead of %q", got, protocol)
	}
	return nil
}
