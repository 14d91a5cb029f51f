package critest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"vmctl/internal/cri"
)

// streamServer is the HTTP half of a runtime, for exec with live streams. It is
// the server that containerd embeds.
type streamServer struct {
	streaming.Server
	http *http.Server
}

func (s *Server) serveStreams() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	cfg := streaming.DefaultConfig
	cfg.BaseURL = &url.URL{Scheme: "http", Host: l.Addr().String()}
	srv, err := streaming.NewServer(cfg, streamRuntime{s})
	if err != nil {
		l.Close()
		return err
	}
	s.streams = &streamServer{Server: srv, http: &http.Server{Handler: srv}}
	s.streaming.Go(func() { _ = s.streams.http.Serve(l) })
	return nil
}

// Exec returns an address to connect to.
func (r *runtimeService) Exec(_ context.Context, req *pb.ExecRequest) (*pb.ExecResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.running(req.ContainerId); err != nil {
		return nil, err
	}
	return s.streams.GetExec(req)
}

// streamRuntime does what the streams ask for.
type streamRuntime struct{ s *Server }

// Exec runs what OnExec has arranged.
func (r streamRuntime) Exec(_ context.Context, id string, cmd []string, in io.Reader, out, errOut io.WriteCloser,
	tty bool, resize <-chan remotecommand.TerminalSize) error {
	s := r.s
	s.mu.Lock()
	c, err := s.running(id)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	run := s.execBehaviour(c)
	call := ExecCall{Process: c.process, Cmd: cmd, Stdin: in, TTY: tty}
	s.mu.Unlock()
	call.Stdout, call.Stderr = plainWriter(out), plainWriter(errOut)
	if tty {
		sizes := make(chan cri.Size)
		done := make(chan struct{})
		defer close(done)
		go relaySizes(resize, sizes, done)
		call.Resize = sizes
	}
	res := run(call)
	if call.Stdout != nil {
		_, _ = call.Stdout.Write(res.Stdout)
	}
	if call.Stderr != nil {
		_, _ = call.Stderr.Write(res.Stderr)
	}
	if res.ExitCode != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("exit status %d", res.ExitCode), Code: res.ExitCode}
	}
	return nil
}

// plainWriter turns a nil stream into a nil interface.
func plainWriter(w io.WriteCloser) io.Writer {
	if w == nil {
		return nil
	}
	return w
}

func relaySizes(from <-chan remotecommand.TerminalSize, to chan<- cri.Size, done <-chan struct{}) {
	for {
		select {
		case size, ok := <-from:
			if !ok {
				return
			}
			select {
			case to <- cri.Size{Width: size.Width, Height: size.Height}:
			case <-done:
				return
			}
		case <-done:
			return
		}
	}
}

// Attach is not there.
func (streamRuntime) Attach(context.Context, string, io.Reader, io.WriteCloser, io.WriteCloser, bool, <-chan remotecommand.TerminalSize) error {
	return status.Error(codes.Unimplemented, "attach")
}

// PortForward returns an address to connect to.
func (r *runtimeService) PortForward(_ context.Context, req *pb.PortForwardRequest) (*pb.PortForwardResponse, error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.ready(req.PodSandboxId); err != nil {
		return nil, err
	}
	return s.streams.GetPortForward(req)
}

// PortForward connects to the sandbox's address, for the fake's sandboxes share the
// host's loopback. Like containerd it ends both directions 1 s after the first has ended
// (internal/cri/server/sandbox_portforward_linux.go).
func (r streamRuntime) PortForward(_ context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	r.s.mu.Lock()
	b, err := r.s.ready(id)
	var address string
	if err == nil {
		address = net.JoinHostPort(b.ip, strconv.Itoa(int(port)))
	}
	r.s.mu.Unlock()
	if err != nil {
		return err
	}
	defer stream.Close()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d: %w", port, err)
	}
	defer conn.Close()
	ended := make(chan error, 2)
	go func() { _, err := io.Copy(stream, conn); ended <- err }()
	go func() { _, err := io.Copy(conn, stream); ended <- err }()
	first := <-ended
	select {
	case second := <-ended:
		if first == nil {
			first = second
		}
	case <-time.After(time.Second):
	}
	return first
}

// ready returns a sandbox that runs. The caller holds the lock.
func (s *Server) ready(id string) (*sandbox, error) {
	b, ok := s.sandboxes[id]
	if !ok || !b.ready {
		return nil, status.Errorf(codes.NotFound, "sandbox %q is not found or not ready", id)
	}
	return b, nil
}
