package critest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"vmctl/internal/cri"
)

// maxLogPart is where containerd cuts a line into parts.
const maxLogPart = 16384

// Process is what runs in a started container.
type Process struct {
	Container cri.ContainerConfig
	Sandbox   cri.SandboxConfig
	ID        string
	SandboxIP string // a loopback address to listen on in the guest's place

	stop chan struct{}
	done chan struct{}
	once struct{ stop, done sync.Once }

	logMu sync.Mutex
	log   *os.File // nil: no log
}

// Stopped is closed when the stop signal arrives.
func (p *Process) Stopped() <-chan struct{} { return p.stop }

// Killed is closed when the container has been killed. What the process returns
// after that does not count.
func (p *Process) Killed() <-chan struct{} { return p.done }

func (p *Process) signal() { p.once.stop.Do(func() { close(p.stop) }) }
func (p *Process) killed() { p.once.done.Do(func() { close(p.done) }) }

// Log writes one line to the container's log, in the format and with the cuts of
// a real runtime.
func (p *Process) Log(stream, text string) {
	for len(text) > maxLogPart {
		p.write(stream, "P", text[:maxLogPart])
		text = text[maxLogPart:]
	}
	p.write(stream, "F", text)
}

// Logf writes a formatted line to stdout.
func (p *Process) Logf(format string, args ...any) { p.Log("stdout", fmt.Sprintf(format, args...)) }

// RawLog writes text to the log file as it is.
func (p *Process) RawLog(text string) {
	p.logMu.Lock()
	defer p.logMu.Unlock()
	if p.log != nil {
		_, _ = p.log.WriteString(text)
	}
}

func (p *Process) write(stream, tag, text string) {
	p.RawLog(time.Now().UTC().Format(time.RFC3339Nano) + " " + stream + " " + tag + " " + strings.TrimSuffix(text, "\n") + "\n")
}

// logPath is where the runtime logs: nowhere unless both parts are given.
func logPath(pod cri.SandboxConfig, ctr cri.ContainerConfig) string {
	if pod.LogDirectory == "" || ctr.LogPath == "" {
		return ""
	}
	return filepath.Join(pod.LogDirectory, ctr.LogPath)
}

// openLog appends, and makes missing directories, as containerd does.
func (p *Process) openLog() error {
	path := logPath(p.Sandbox, p.Container)
	if path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	p.logMu.Lock()
	defer p.logMu.Unlock()
	if p.log != nil {
		p.log.Close()
	}
	p.log = f
	return nil
}

func (p *Process) closeLog() {
	p.logMu.Lock()
	defer p.logMu.Unlock()
	if p.log != nil {
		p.log.Close()
		p.log = nil
	}
}
