package critest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vmctl/internal/cri"
)

// Harness is what RunConformance needs to know of a runtime. Endpoint, Image,
// Registry are for every runtime; the rest says what it can do.
type Harness struct {
	Endpoint string
	// Image is a reference to an image that is present and has /bin/sh, cat,
	// sleep and httpd, as busybox has them.
	Image string
	// Registry is where images can be pulled from.
	Registry Pulls
	// Events is whether the runtime tells of what happens: containerd from 1.7 on.
	Events bool
	// Isolated is whether a container has a file system, devices and a network
	// of its own. The fake has none.
	Isolated bool
	// HostPorts is whether port mappings answer on 127.0.0.1. CRI-O's never do.
	HostPorts bool
	// StopsByItself is whether a stop goes on to the kill when its caller has
	// gone, as CRI-O's and cri-dockerd's do.
	StopsByItself bool
}

// Pulls are references in a registry that the runtime can reach. None is present
// at the start.
type Pulls struct {
	Public  string // anyone may pull it
	Twin    string // another tag of the same image
	Private string // needs Auth
	Auth    cri.Auth
	Missing string // a repository that does not exist
	// Endless is an image whose pull never ends. Waiting returns a channel that
	// is closed when a pull of it is under way.
	Endless string
	Waiting func() <-chan struct{}
}

// RunConformance checks that the runtime at the harness's endpoint does what
// package cri promises its callers, all through the client. It removes what it
// makes, and touches nothing that it did not make.
func RunConformance(t *testing.T, h Harness) {
	client, err := cri.Dial(t.Context(), h.Endpoint)
	if err != nil {
		t.Fatalf("no runtime to test: %v", err)
	}
	t.Cleanup(func() { client.Close() })
	for _, group := range []struct {
		name  string
		tests []conformanceTest
	}{
		{"runtime", runtimeTests()},
		{"sandbox", sandboxTests()},
		{"container", containerTests()},
		{"stop", stopTests()},
		{"stats", statsTests()},
		{"events", eventTests()},
		{"exec", execTests()},
		{"log", logTests()},
		{"image", imageTests()},
		{"isolation", isolationTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				if test.needs != nil && !test.needs(h) {
					continue
				}
				t.Run(test.name, func(t *testing.T) { test.run(newBench(t, h, client)) })
			}
		})
	}
}

// conformanceTest is one promise. needs says which harnesses it is for; nil is
// all.
type conformanceTest struct {
	name  string
	needs func(Harness) bool
	run   func(*bench)
}

func isolated(h Harness) bool  { return h.Isolated }
func hostPorts(h Harness) bool { return h.HostPorts }

// conformanceLimit is the time that one test has.
const conformanceLimit = 90 * time.Second

// bench is what one conformance test works with.
type bench struct {
	*testing.T
	Harness
	c    *cri.Client
	ctx  context.Context
	uid  string // of this test's sandboxes
	logs string
}

func newBench(t *testing.T, h Harness, c *cri.Client) *bench {
	// Not the test's own context, which has ended when the sweep begins.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), conformanceLimit)
	b := &bench{T: t, Harness: h, c: c, ctx: ctx, uid: randomID(), logs: filepath.Join(t.TempDir(), "logs")}
	t.Cleanup(cancel)
	t.Cleanup(b.sweep)
	return b
}

// sweep removes every sandbox of this test. It runs before the test's context
// ends.
func (b *bench) sweep() {
	list, err := b.c.ListSandboxes(b.ctx, cri.SandboxFilter{Labels: b.labels()})
	if err != nil {
		b.Errorf("sweep: %v", err)
	}
	for _, s := range list {
		err := b.c.StopSandbox(b.ctx, s.ID)
		if err != nil { // containerd 1.6 fails ("ttrpc: closed") where a container ends at that moment
			err = b.c.StopSandbox(b.ctx, s.ID)
		}
		if err := errors.Join(err, b.c.RemoveSandbox(b.ctx, s.ID)); err != nil {
			b.Errorf("sweep: %v", err)
		}
	}
}

func (b *bench) labels() map[string]string {
	return map[string]string{"io.vmctl.critest": b.uid}
}

// pod is a plain sandbox of this test.
func (b *bench) pod(name string) cri.SandboxConfig {
	b.Helper()
	parent, err := b.c.CgroupParent(b.ctx, "vmctl-critest")
	b.must(err)
	return cri.SandboxConfig{
		Name:         name,
		Namespace:    "critest",
		UID:          b.uid,
		Hostname:     name,
		LogDirectory: b.logs,
		Labels:       b.labels(),
		Annotations:  map[string]string{"io.vmctl.note": "a \"quoted\" note"},
		CgroupParent: parent,
		PIDNamespace: cri.NamespaceContainer,
	}
}

// shell is a container that runs a script as its first process.
func (b *bench) shell(name, script string) cri.ContainerConfig {
	return cri.ContainerConfig{
		Name:         name,
		Image:        b.Image,
		Command:      []string{"/bin/sh", "-c", script},
		Labels:       b.labels(),
		LogPath:      name + ".log",
		PIDNamespace: cri.NamespaceContainer,
	}
}

// Scripts of containers. A shell that is process 1 gets no signal that it does
// not trap, and a trap waits for the command under way: hence the short sleeps.
const (
	idle     = `trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done`
	stubborn = `trap '' TERM; echo ready; while :; do sleep 0.1; done`
	polite   = `trap 'echo got TERM; exit 42' TERM; echo ready; while :; do sleep 0.1; done`
)

// started runs a container in a new sandbox and waits for it to say "ready".
func (b *bench) started(name, script string) (id string, pod cri.SandboxConfig, sandbox string) {
	b.Helper()
	pod = b.pod(name)
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", script)
	cfg.LogPath = name + ".log" // its own: "ready" of another container is not ours
	id = b.startIn(sandbox, pod, cfg)
	b.waitLog(id, "ready")
	return id, pod, sandbox
}

func (b *bench) startIn(sandbox string, pod cri.SandboxConfig, cfg cri.ContainerConfig) string {
	b.Helper()
	id, err := b.c.CreateContainer(b.ctx, sandbox, cfg, pod)
	b.must(err)
	b.must(b.c.StartContainer(b.ctx, id))
	return id
}

// waitLog waits for a line of the container's log.
func (b *bench) waitLog(id, want string) {
	b.Helper()
	found := errors.New("found")
	status, err := b.c.Container(b.ctx, id)
	b.must(err)
	err = cri.ReadLog(b.ctx, status.LogPath, cri.LogOptions{Follow: true}, func(l cri.LogLine) error {
		if l.Text == want {
			return found
		}
		return nil
	})
	if !errors.Is(err, found) {
		b.Fatalf("wait for %q in the log: %v", want, err)
	}
}

// waitExit waits for a container to end.
func (b *bench) waitExit(id string) cri.ContainerStatus {
	b.Helper()
	for {
		s, err := b.c.Container(b.ctx, id)
		b.must(err)
		if s.State == cri.ContainerExited {
			return s
		}
		select {
		case <-b.ctx.Done():
			b.Fatalf("container is still in state %d", s.State)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// want checks for a sentinel.
func (b *bench) want(err, sentinel error) {
	b.Helper()
	if !errors.Is(err, sentinel) {
		b.Fatalf("error %q does not match %q", err, sentinel)
	}
}

func (b *bench) writeFile(path, text string) {
	b.Helper()
	b.must(os.MkdirAll(filepath.Dir(path), 0o755))
	b.must(os.WriteFile(path, []byte(text), 0o644))
}

func randomID() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
