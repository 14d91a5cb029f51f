package critest

import (
	"context"
	"errors"
	"io"
	"net"
	"path"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Gate stands between a client and a real runtime, and holds a call where a test says. It
// passes bytes on and knows no message.
type Gate struct {
	socket  string
	runtime *grpc.ClientConn

	mu   sync.Mutex
	held map[string]*Held
}

// Held is a call of the gate that waits.
type Held struct {
	answer  bool
	once    sync.Once
	reached chan struct{}
	release chan struct{}
}

// Reached is closed when the call has come.
func (h *Held) Reached() <-chan struct{} { return h.reached }

// NewGate opens a gate before a runtime, "unix:///path". It is closed with the test.
func NewGate(t testing.TB, endpoint string) *Gate {
	t.Helper()
	quick := grpc.ConnectParams{MinConnectTimeout: time.Second, Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}}
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithConnectParams(quick),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{}), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{socket: filepath.Join(t.TempDir(), "gate.sock"), runtime: conn, held: map[string]*Held{}}
	listener, err := net.Listen("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(g.pass), grpc.MaxRecvMsgSize(64<<20))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		g.Open()
		server.Stop()
		_ = conn.Close()
	})
	return g
}

// Endpoint is where clients find the gate.
func (g *Gate) Endpoint() string { return "unix://" + g.socket }

// Hold lets the calls of a method ("StopContainer") wait until Open: before they reach
// the runtime, or, with answer, once the runtime has done what they ask.
func (g *Gate) Hold(method string, answer bool) *Held {
	h := &Held{answer: answer, reached: make(chan struct{}), release: make(chan struct{})}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held[method] = h
	return h
}

// Open lets all calls go on and holds none any more.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.held {
		close(h.release)
	}
	clear(g.held)
}

// pass hands one call on, unary or with a stream of answers.
func (g *Gate) pass(_ any, client grpc.ServerStream) error {
	ctx := client.Context()
	method, _ := grpc.Method(ctx)
	g.mu.Lock()
	held := g.held[path.Base(method)]
	g.mu.Unlock()
	if err := held.wait(ctx, false); err != nil {
		return err
	}
	runtime, err := g.runtime.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return err
	}
	var request []byte
	if err := client.RecvMsg(&request); err != nil {
		return err
	}
	if err := runtime.SendMsg(&request); err != nil && !errors.Is(err, io.EOF) { // RecvMsg has the cause
		return err
	}
	if err := runtime.CloseSend(); err != nil {
		return err
	}
	for {
		var answer []byte
		if err := runtime.RecvMsg(&answer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := held.wait(ctx, true); err != nil {
			return err
		}
		if err := client.SendMsg(&answer); err != nil {
			return err
		}
	}
}

func (h *Held) wait(ctx context.Context, answer bool) error {
	if h == nil || h.answer != answer {
		return nil
	}
	h.once.Do(func() { close(h.reached) })
	select {
	case <-h.release:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// bytesCodec leaves messages as they are on the wire.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, status.Errorf(codes.Internal, "a message of type %T", v)
	}
	return *b, nil
}

func (bytesCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return status.Errorf(codes.Internal, "a message of type %T", v)
	}
	*b = append([]byte(nil), data...)
	return nil
}
