package critest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	versionapi "github.com/containerd/containerd/api/services/version/v1"
	"google.golang.org/grpc"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Server is a fake runtime. All its methods may be called at any time from any
// goroutine.
type Server struct {
	profile Profile
	dir     string
	ownDir  bool
	socket  string
	network [2]byte // second and third byte of the sandboxes' addresses
	extra   []func(grpc.ServiceRegistrar)

	streams   *streamServer
	streaming sync.WaitGroup

	mu           sync.Mutex
	grpc         *grpc.Server  // nil while stopped
	served       chan struct{} // closed when grpc has ended
	processes    sync.WaitGroup
	sandboxes    map[string]*sandbox
	containers   map[string]*container
	names        map[string]string // reserved name -> id
	images       map[string]*image // by id
	published    map[string]published
	lost         map[string]bool // host devices that are not there
	networkError string
	lastIP       byte
	serial       int
	cores        float64 // see Use
	onStart      map[string]func(*Process) int
	onExec       map[string]func(ExecCall) ExecResult
	calls        []Call
	counts       map[string]int
	rules        []*rule
	listeners    map[chan *pb.ContainerEventResponse]bool
}

// Option changes a Server before it starts.
type Option func(*Server)

// WithProfile makes the fake behave like p.
func WithProfile(p Profile) Option { return func(s *Server) { s.profile = p } }

// WithService registers another gRPC service on the same socket, as containerd
// has its content store there.
func WithService(register func(grpc.ServiceRegistrar)) Option {
	return func(s *Server) { s.extra = append(s.extra, register) }
}

// NewServer starts a fake runtime that ends with the test.
func NewServer(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s, err := Start("", opts...)
	if err != nil {
		t.Fatalf("start fake runtime: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a fake runtime whose socket is dir/cri.sock; "" makes a directory
// of its own. Mind that a socket path is at most 107 bytes long.
func Start(dir string, opts ...Option) (*Server, error) {
	s := &Server{
		profile:    Containerd2(),
		dir:        dir,
		sandboxes:  map[string]*sandbox{},
		containers: map[string]*container{},
		names:      map[string]string{},
		images:     map[string]*image{},
		published:  map[string]published{},
		lost:       map[string]bool{},
		onStart:    map[string]func(*Process) int{},
		onExec:     map[string]func(ExecCall) ExecResult{},
		counts:     map[string]int{},
		listeners:  map[chan *pb.ContainerEventResponse]bool{},
		lastIP:     1,
		cores:      1,
	}
	for _, o := range opts {
		o(s)
	}
	if dir == "" {
		// Not t.TempDir: test names make it too long for a socket.
		tmp, err := os.MkdirTemp("", "cri")
		if err != nil {
			return nil, err
		}
		s.dir, s.ownDir = tmp, true
	}
	s.socket = filepath.Join(s.dir, "cri.sock")
	s.network = networkOf(s.socket)
	err := s.serveStreams()
	if err == nil {
		err = s.serve()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Endpoint is the address of the fake, "unix:///path".
func (s *Server) Endpoint() string { return "unix://" + s.socket }

// Stop ends the daemon, as a crash does: connections break, the socket stays.
// Containers go on.
func (s *Server) Stop() {
	s.mu.Lock()
	g, served := s.grpc, s.served
	s.grpc = nil
	s.mu.Unlock()
	if g != nil {
		g.Stop()
	}
	if served != nil {
		<-served
	}
}

// Restart starts the daemon again with the state it had.
func (s *Server) Restart() error {
	s.Stop()
	return s.serve()
}

// Close ends the daemon and every container.
func (s *Server) Close() {
	if s.streams != nil {
		s.streams.http.Close()
		s.streaming.Wait()
	}
	s.Stop()
	s.mu.Lock()
	for _, c := range s.containers {
		c.kill()
	}
	s.mu.Unlock()
	s.processes.Wait()
	if s.ownDir {
		os.RemoveAll(s.dir)
	}
}

func (s *Server) serve() error {
	if err := os.Remove(s.socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		return fmt.Errorf("fake runtime: %w", err)
	}
	// A crash leaves the file: what connects then must be refused.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	g := grpc.NewServer(grpc.UnaryInterceptor(s.intercept), grpc.MaxSendMsgSize(16<<20), grpc.MaxRecvMsgSize(16<<20))
	if s.profile.Name == "containerd" {
		versionapi.RegisterVersionServer(g, containerdVersion{version: s.profile.Version})
	}
	if !s.profile.NoCRI {
		pb.RegisterRuntimeServiceServer(g, &runtimeService{s: s})
		pb.RegisterImageServiceServer(g, &imageService{s: s})
	}
	for _, register := range s.extra {
		register(g)
	}
	served := make(chan struct{})
	s.mu.Lock()
	s.grpc, s.served = g, served
	s.mu.Unlock()
	go func() {
		defer close(served)
		_ = g.Serve(l)
	}()
	return nil
}

// networkOf spreads fakes over 127.0.0.0/8, so that tests of several packages may
// listen on the same port of "their" sandbox at once.
func networkOf(socket string) [2]byte {
	h := uint32(2166136261)
	for i := range len(socket) {
		h = (h ^ uint32(socket[i])) * 16777619
	}
	return [2]byte{1 + byte(h%250), byte(h >> 8)}
}
