// Package machinetest is for testing what works with machines: an imitation of the
// demo image that runs in the fake runtime of package critest.
//
//	rt := critest.NewServer(t)
//	guest := machinetest.Run(rt)
//	guest.InstallTime.Store(int64(time.Hour)) // and it will show its progress for long
//
// The imitation serves the status page on the forwarded port, keeps a counter on its
// disk, writes the log lines that count, and deletes a disk without its marker, as
// the real images do. It has no screen, no network and no QEMU.
package machinetest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"vmctl/internal/cri/critest"
)

// Image is the reference under which Run puts the imitation into the runtime.
const Image = "localhost/vmctl-demo:1"

// Recipe makes a machine of the imitation. It needs neither KVM nor a tap device, so
// that tests say the same on every host.
const Recipe = `guest = "demo"
image = "localhost/vmctl-demo:1"
[env]
KVM = "N"
NETWORK = "user"
[[ports]]
name = "viewer"
guest = 8006
host = "any"
[lifecycle]
stop_grace = "45s"
`

// Guest is how the imitation behaves. Its fields may be changed at any time; they
// count for containers that start later, Deaf for those that run too.
type Guest struct {
	InstallTime atomic.Int64 // nanoseconds that an installation takes
	Watched     atomic.Bool  // an installation also lasts until somebody has seen its progress
	ExitCode    atomic.Int64 // not 0: the image ends with this code at once
	ExitLine    atomic.Value // the log line, a string, that it then leaves
	Deaf        atomic.Bool  // the guest ignores the stop
	Protected   atomic.Bool  // the status page wants a password that nobody knows

	ends chan int // exit codes of guests that end by themselves
}

// Run puts the image into the runtime and makes its containers behave like it.
func Run(rt *critest.Server) *Guest {
	g := &Guest{ends: make(chan int)}
	g.InstallTime.Store(int64(20 * time.Millisecond))
	g.ExitLine.Store("")
	rt.AddImage(Image)
	rt.OnStart("vm", g.run)
	rt.OnStart("errand", func(*critest.Process) int { return 0 })
	return g
}

// run is the image's entry point.
func (g *Guest) run(p *critest.Process) int {
	if code := g.ExitCode.Load(); code != 0 {
		p.Log("stderr", g.ExitLine.Load().(string))
		return int(code)
	}
	dir := p.Container.Mounts[0].HostPath
	disk, marker := filepath.Join(dir, "data.img"), filepath.Join(dir, "demo.boot")
	if _, err := os.Stat(marker); err != nil {
		_ = os.Remove(disk) // as the real ones do, without a word
	}
	page := newStatusPage(&g.Protected)
	server := &http.Server{Handler: page, ReadHeaderTimeout: time.Second}
	address := net.JoinHostPort(p.SandboxIP, "8006")
	if maps := p.Sandbox.PortMappings; len(maps) > 0 { // the fake maps nothing: the guest does it itself
		address = "127.0.0.1:" + strconv.Itoa(maps[0].HostPort)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		p.Log("stderr", "ERROR: "+err.Error())
		return 24
	}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	if code := g.install(p, disk, page.seen); code != 0 {
		return code
	}
	if err := boot(p, disk); err != nil {
		p.Log("stderr", "ERROR: "+err.Error())
		return 70
	}
	close(page.ready)
	return g.shutDown(p, marker)
}

// PowerOff shuts the guest that runs down from inside; Crash ends its QEMU.
func (g *Guest) PowerOff() { g.ends <- 0 }
func (g *Guest) Crash()    { g.ends <- 137 }

// install makes the disk if there is none. It returns an exit code if it is ended
// before that.
func (g *Guest) install(p *critest.Process, disk string, seen <-chan struct{}) int {
	if _, err := os.Stat(disk); err == nil {
		return 0
	}
	over := time.After(time.Duration(g.InstallTime.Load()))
	if !g.Watched.Load() {
		seen = nil
	}
	for over != nil || seen != nil {
		select {
		case <-over:
			over = nil
		case <-seen:
			seen = nil
		case <-p.Stopped():
			return 143
		case <-p.Killed():
			return 137
		}
	}
	if err := writeDisk(disk, 0); err != nil {
		p.Log("stderr", "ERROR: "+err.Error())
		return 70
	}
	p.Log("stdout", "VMCTL_READY")
	return 0
}

// boot counts one boot on the disk.
func boot(p *critest.Process, disk string) error {
	n, err := Counter(filepath.Dir(disk))
	if err != nil {
		return err
	}
	p.Logf("counter=%d", n+1)
	return writeDisk(disk, n+1)
}

// writeDisk writes the number of boots over the one that is there. Nothing is cut
// off first, so that who reads meanwhile sees the old number or the new one.
func writeDisk(disk string, boots int) error {
	f, err := os.OpenFile(disk, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(boots)), 0)
	return errors.Join(err, f.Close())
}

// shutDown waits for the stop, and marks the disk as installed as the images do when
// they end by themselves.
func (g *Guest) shutDown(p *critest.Process, marker string) int {
	code := 143
	select {
	case code = <-g.ends:
	case <-p.Stopped():
	case <-p.Killed():
		return 137
	}
	if g.Deaf.Load() {
		<-p.Killed()
		return 137
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		p.Log("stderr", "ERROR: "+err.Error())
	}
	if code == 137 {
		p.Log("stderr", "ERROR: QEMU exited unexpectedly!")
		return code
	}
	p.Log("stdout", "\x1b[1;34m❯ \x1b[1;36mShutdown completed!\x1b[0m")
	return code
}

// Counter returns how often a guest has booted from the disk in a storage directory;
// no disk is an error, and one that is just being made has not been booted from.
func Counter(storage string) (int, error) {
	data, err := os.ReadFile(filepath.Join(storage, "data.img"))
	if err != nil || len(data) == 0 {
		return 0, err
	}
	return strconv.Atoi(string(data))
}

// statusPage answers as the images' nginx does: progress, then 404 once there is a
// screen.
type statusPage struct {
	protected *atomic.Bool
	ready     chan struct{} // closed when there is a screen
	seen      chan struct{} // closed when somebody has seen the progress
	once      sync.Once
}

func newStatusPage(protected *atomic.Bool) *statusPage {
	return &statusPage{protected: protected, ready: make(chan struct{}), seen: make(chan struct{})}
}

func (s *statusPage) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if s.protected.Load() {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	select {
	case <-s.ready:
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprint(w, `<p class="loading">Installing demo (50%)</p>`)
		s.once.Do(func() { close(s.seen) })
	}
}
