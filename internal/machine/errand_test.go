package machine

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// errands is a rig that has a program, whose errands do as they are told.
func errands(t *testing.T, run func(*critest.Process) int) *rig {
	t.Helper()
	r := newRig(t)
	program := filepath.Join(t.TempDir(), "vmctl")
	f, err := os.Create(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: 64, Phentsize: 56, Shentsize: 64}
	copy(head.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	if err := binary.Write(f, binary.LittleEndian, head); err != nil {
		t.Fatal(err)
	}
	r.Program = func() (string, error) { return program, nil }
	r.rt.OnStart(errandName, run)
	return r
}

func TestErrand(t *testing.T) {
	r := errands(t, func(p *critest.Process) int {
		p.Log("stdout", "one")
		p.Log("stderr", p.Container.Command[2])
		return 3
	})
	got, err := r.RunErrand(t.Context(), Errand{Args: []string{"errand", "two"}, Sandbox: cri.SandboxConfig{LogDirectory: t.TempDir()}, Limit: time.Minute})
	if want := (ErrandResult{3, "one\ntwo"}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	r.empty(t)
}

func TestErrandEnds(t *testing.T) {
	r := errands(t, func(p *critest.Process) int { <-p.Killed(); return 137 })
	e := Errand{Args: []string{"errand"}, Sandbox: cri.SandboxConfig{LogDirectory: t.TempDir()}, Limit: 30 * time.Millisecond}
	if _, err := r.RunErrand(t.Context(), e); !errors.Is(err, ErrTimeout) {
		t.Errorf("after the limit: %v", err)
	}
	r.empty(t)
	ctx, cancel := context.WithCancel(t.Context())
	e.Limit = time.Minute
	go func() { eventuallyRuns(r); cancel() }()
	if _, err := r.RunErrand(ctx, e); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
	r.empty(t)
}

func eventuallyRuns(r *rig) {
	for len(r.rt.Containers()) == 0 {
		time.Sleep(time.Millisecond)
	}
}

// TestErrandSwept: what a vmctl that was killed has left goes with the next command, and
// what one that lives has made does not.
func TestErrandSwept(t *testing.T) {
	r := errands(t, func(p *critest.Process) int { <-p.Killed(); return 137 })
	mc := r.up(t, "demo")
	r.down(t, "demo")
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	owners := map[string]process{"alive": thisProcess(), "dead": {pidNamespace(), dead.Process.Pid, "1"}}
	for name, owner := range owners {
		pod := cri.SandboxConfig{Name: errandName, Namespace: errandNamespace, UID: name, LogDirectory: t.TempDir(),
			Labels: map[string]string{LabelErrand: owner.String()}, Annotations: map[string]string{annotationDisks: mc.Storage}}
		id, err := r.Runtime.RunSandbox(t.Context(), pod, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Runtime.CreateContainer(t.Context(), id, cri.ContainerConfig{Name: errandName, Image: rigImage, Labels: pod.Labels}, pod); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Start(t.Context(), "demo", StartOptions{}, nil); !errors.Is(err, ErrPhase) {
		t.Errorf("a start while another vmctl works on the disk: %v", err)
	}
	left := r.rt.Sandboxes()
	if len(left) != 1 || left[0].Config.UID != "alive" {
		t.Errorf("left: %+v", left)
	}
	if err := r.removeSandbox(t.Context(), left[0].ID); err != nil {
		t.Fatal(err)
	}
}

func TestStatic(t *testing.T) {
	if err := static("/bin/sh"); err == nil {
		t.Error("a program that needs libraries is accepted")
	}
}
