package critest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"sort"
	"strings"
	"time"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/cri"
)

// Sandbox is what the fake knows of a sandbox.
type Sandbox struct {
	ID      string
	Config  cri.SandboxConfig
	State   cri.SandboxState
	IP      string
	Handler string
}

// Container is what the fake knows of a container.
type Container struct {
	ID        string
	SandboxID string
	Config    cri.ContainerConfig
	State     cri.ContainerState
	ExitCode  int
}

type sandbox struct {
	id      string
	config  *pb.PodSandboxConfig
	handler string
	created time.Time
	ready   bool
	ip      string
	serial  int
}

type container struct {
	server    *Server
	id        string
	sandbox   *sandbox
	pod       *pb.PodSandboxConfig // as sent to CreateContainer
	config    *pb.ContainerConfig
	image     *image
	state     pb.ContainerState
	created   time.Time
	started   time.Time
	finished  time.Time
	exitCode  int32
	reason    string
	message   string
	process   *Process
	exited    chan struct{} // closed when state becomes EXITED
	stopAsked bool
	serial    int
	used      time.Duration // CPU time at usedAt
	usedAt    time.Time
}

// Sandboxes lists what is there, oldest first.
func (s *Server) Sandboxes() []Sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Sandbox
	for _, b := range s.sandboxesInOrder() {
		state := cri.SandboxReady
		if !b.ready {
			state = cri.SandboxNotReady
		}
		out = append(out, Sandbox{ID: b.id, Config: plainSandbox(b.config), State: state, IP: b.ip, Handler: b.handler})
	}
	return out
}

// Containers lists what is there, oldest first.
func (s *Server) Containers() []Container {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Container
	for _, c := range s.containersInOrder() {
		out = append(out, Container{
			ID: c.id, SandboxID: c.sandbox.id, Config: plainContainer(c.config),
			State: cri.ContainerState(c.state), ExitCode: int(c.exitCode),
		})
	}
	return out
}

// Reboot is what a reboot of the host leaves: sandboxes that are not ready and
// containers that ended with 255.
func (s *Server) Reboot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.containers {
		if c.state == pb.ContainerState_CONTAINER_RUNNING {
			c.exit(255, "Unknown")
		}
	}
	for _, b := range s.sandboxes {
		b.ready, b.ip = false, ""
	}
}

// BreakNetwork makes new sandboxes fail for want of a network, with reason in
// Status; "" mends it.
func (s *Server) BreakNetwork(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.networkError = reason
}

// LoseDevice makes a host device absent for new containers.
func (s *Server) LoseDevice(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost[path] = true
}

// OnStart says what containers called name do when they start; "" is for all
// that have nothing else. run returns the exit code, soon after Killed when that
// comes first. Without any, a container
// waits for the stop signal and exits with 143.
func (s *Server) OnStart(name string, run func(*Process) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onStart[name] = run
}

// ExecCall is one command run in a container.
type ExecCall struct {
	Process *Process
	Cmd     []string
	Timeout time.Duration // 0: none

	// With live streams (cri.Client.ExecStream) only; else nil.
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	TTY    bool
	Resize <-chan cri.Size
}

// ExecResult is what a command printed and returned; what it has already written
// to live streams is not repeated here. TimedOut makes the call fail
// as it does when the limit has passed.
type ExecResult struct {
	cri.ExecResult
	TimedOut bool
}

// OnExec says what commands do in containers called name; "" is for all that
// have nothing else. Without any, a command prints nothing and returns 0.
func (s *Server) OnExec(name string, run func(ExecCall) ExecResult) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onExec[name] = run
}

func (s *Server) sandboxesInOrder() []*sandbox {
	var out []*sandbox
	for _, b := range s.sandboxes {
		out = append(out, b)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].serial < out[j].serial })
	return out
}

func (s *Server) containersInOrder() []*container {
	var out []*container
	for _, c := range s.containers {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].serial < out[j].serial })
	return out
}

func (s *Server) nextSerial() int {
	s.serial++
	return s.serial
}

// findSandbox takes an id or the beginning of one.
func (s *Server) findSandbox(id string) *sandbox {
	for full, b := range s.sandboxes {
		if id != "" && strings.HasPrefix(full, id) {
			return b
		}
	}
	return nil
}

func (s *Server) findContainer(id string) *container {
	for full, c := range s.containers {
		if id != "" && strings.HasPrefix(full, id) {
			return c
		}
	}
	return nil
}

func newID() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// plainSandbox goes through crictl's JSON, the public way from protobuf to the
// plain types. It cannot fail: the bytes come from the very struct they go to.
func plainSandbox(p *pb.PodSandboxConfig) cri.SandboxConfig {
	b, _ := json.Marshal(p)
	cfg, _ := cri.UnmarshalCrictlSandbox(b)
	return cfg
}

func plainContainer(p *pb.ContainerConfig) cri.ContainerConfig {
	b, _ := json.Marshal(p)
	cfg, _ := cri.UnmarshalCrictlContainer(b)
	return cfg
}
