//go:build !amd64

package host

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// guest is a virtual machine that is made and never run: the trial program exists for
// amd64 only.
type guest struct{ vm int }

func newGuest(kvm int, _ []byte) (*guest, error) {
	vm, err := ioctl(kvm, 0xAE01, 0) // KVM_CREATE_VM
	if err != nil {
		return nil, fmt.Errorf("create a virtual machine: %w", err)
	}
	return &guest{vm: vm}, nil
}

// guestProgram is empty: nothing runs it.
func guestProgram() []byte { return nil }

func (g *guest) run(context.Context) error { return nil }
func (g *guest) interrupt()                {}
func (g *guest) close() error              { return unix.Close(g.vm) }
