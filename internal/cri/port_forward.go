package cri

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// portForwardProtocol is the kubelet's protocol for forwarded ports
// (k8s.io/cri-streaming pkg/streaming/portforward).
const portForwardProtocol = "portforward.k8s.io"

// PortConn is one connection to a port of a sandbox's loopback. It is a net.Conn whose
// halves end one by one (CloseWrite), but the runtimes' servers have two flaws: they pass
// no end on to the port, and end both directions 1 s after the first has ended; and a port
// that refuses shows in the first Read only.
type PortConn struct {
	conn    *streamConn
	data    httpstream.Stream
	settled chan struct{} // closed when the server has said its last on the error stream
	failure error         // what it said; to be read once settled is closed
}

// PortForward connects to a TCP port on the loopback of a ready sandbox, through the
// runtime. Each connection has a SPDY connection of its own: on a shared one a peer that
// does not read holds up all others, for moby/spdystream has no flow control.
//
// The runtime connects to the port in its own time; see PortConn.
func (c *Client) PortForward(ctx context.Context, sandboxID string, port int) (*PortConn, error) {
	p, err := c.portForward(ctx, sandboxID, port)
	if err != nil {
		return nil, fmt.Errorf("forward port %d of sandbox %s: %w", port, shortID(sandboxID), err)
	}
	return p, nil
}

func (c *Client) portForward(ctx context.Context, sandboxID string, port int) (*PortConn, error) {
	r, err := c.runtime.PortForward(ctx, &pb.PortForwardRequest{PodSandboxId: sandboxID, Port: []int32{int32(port)}})
	if err != nil {
		return nil, fromRPC(ctx, err)
	}
	conn, err := dialStream(ctx, r.Url, portForwardProtocol)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, conn.abort)
	defer stop()
	p, err := openPort(conn, port)
	if err != nil {
		conn.abort()
		return nil, err
	}
	return p, nil
}

// openPort opens the two streams that the server pairs by their request's number.
func openPort(conn *streamConn, port int) (*PortConn, error) {
	header := http.Header{"Port": {strconv.Itoa(port)}, "Requestid": {"0"}}
	header.Set("streamType", "error")
	failure, err := conn.CreateStream(header)
	if err != nil {
		return nil, fmt.Errorf("open error stream: %w", err)
	}
	if err := failure.Close(); err != nil { // nothing is ever written to it
		return nil, fmt.Errorf("open error stream: %w", err)
	}
	header.Set("streamType", "data")
	data, err := conn.CreateStream(header)
	if err != nil {
		return nil, fmt.Errorf("open data stream: %w", err)
	}
	p := &PortConn{conn: conn, data: data, settled: make(chan struct{})}
	go p.watch(failure)
	return p, nil
}

// watch waits for the server's word on what went wrong; none is none.
func (p *PortConn) watch(failure io.Reader) {
	defer close(p.settled)
	text, err := io.ReadAll(io.LimitReader(failure, 4<<10))
	switch {
	case len(text) > 0:
		p.failure = errors.New(strings.Join(strings.Fields(string(text)), " "))
	case err != nil:
		p.failure = fmt.Errorf("%w: connection lost", ErrUnavailable)
	default:
		return
	}
	_ = p.data.Reset() // wakes up a Read
}

// Settled waits for at most limit for the server to say that the port cannot be
// connected to, and returns what it said. Nil means that nothing was said: the server
// never tells of success.
func (p *PortConn) Settled(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-p.settled:
		return p.failure
	case <-ctx.Done():
		return nil
	}
}

// Read reads what the port sent. What the server said of a failure is the error.
func (p *PortConn) Read(b []byte) (int, error) {
	n, err := p.data.Read(b)
	if err != nil {
		err = p.readError(err)
	}
	return n, err
}

// lastWord is how long the error stream is waited for after the data's end.
const lastWord = 20 * time.Millisecond

// readError is the end of the data, or why it has ended.
func (p *PortConn) readError(end error) error {
	// The word on a failure comes with the end of the data, a moment before or after.
	if failure := p.Settled(context.Background(), lastWord); failure != nil {
		return failure
	}
	if p.conn.lost.Load() {
		return fmt.Errorf("%w: connection lost", ErrUnavailable)
	}
	return end
}

// WriteTo writes what the port sent to w, frame by frame and without copies.
func (p *PortConn) WriteTo(w io.Writer) (moved int64, err error) {
	frames, ok := p.data.(interface{ ReadData() ([]byte, error) }) // *spdystream.Stream
	if !ok {
		return io.Copy(w, struct{ io.Reader }{p})
	}
	for {
		data, err := frames.ReadData()
		if err != nil {
			err = p.readError(err)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return moved, err
		}
		n, err := w.Write(data)
		moved += int64(n)
		if err != nil {
			return moved, err
		}
	}
}

func (p *PortConn) Write(b []byte) (int, error) {
	n, err := p.data.Write(b)
	if err != nil {
		if failure := p.Settled(context.Background(), lastWord); failure != nil {
			err = failure
		}
	}
	return n, err
}

// CloseWrite ends the direction to the port.
func (p *PortConn) CloseWrite() error { return p.data.Close() }

// Close ends the connection at once, with whatever is on its way.
func (p *PortConn) Close() error {
	p.conn.abort()
	return nil
}

// LocalAddr is that of the connection to the runtime's streaming server.
func (p *PortConn) LocalAddr() net.Addr { return p.conn.raw.LocalAddr() }

// RemoteAddr is that of the runtime's streaming server.
func (p *PortConn) RemoteAddr() net.Addr { return p.conn.raw.RemoteAddr() }

// SetDeadline cannot be kept: close the connection instead.
func (p *PortConn) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline cannot be kept.
func (p *PortConn) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline cannot be kept.
func (p *PortConn) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
