package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests and structures of KVM on x86 (Linux Documentation/virt/kvm/api.rst and
// include/uapi/linux/kvm.h).
const (
	kvmGetAPIVersion   = 0xAE00
	kvmCreateVM        = 0xAE01
	kvmGetVCPUMmapSize = 0xAE04
	kvmCreateVCPU      = 0xAE41
	kvmSetUserMemory   = 0x4020AE46
	kvmSetTSSAddr      = 0xAE47
	kvmRun             = 0xAE80
	kvmSetRegs         = 0x4090AE82
	kvmGetSregs        = 0x8138AE83
	kvmSetSregs        = 0x4138AE84
	kvmAPIVersion      = 12
	kvmExitIO          = 2
	kvmExitHLT         = 5
	kvmExitFailEntry   = 9
	kvmExitIntr        = 10
	kvmExitInternal    = 17
	runImmediateExit   = 1 // offsets in struct kvm_run
	runExitReason      = 8
	runUnion           = 32 // the exit's own data
	runIODataOffset    = 40
)

// The guest's memory: its program and three levels of page tables, which map the first
// 2 MiB to themselves.
const (
	guestMemory = 0x5000
	guestStart  = 0x1000
	guestPML4   = 0x2000
	guestPDPT   = 0x3000
	guestPD     = 0x4000
	guestPort   = 0x3f8
)

// guestProgram adds RAX and RBX as floating-point numbers, sends the sum as a digit to a
// port and halts, in 64-bit code. Ordinary systems need no less, and a KVM without
// hardware below it, which interprets 16-bit code well, shows itself here.
func guestProgram() []byte {
	return []byte{
		0xf2, 0x48, 0x0f, 0x2a, 0xc0, // cvtsi2sd xmm0, rax
		0xf2, 0x48, 0x0f, 0x2a, 0xcb, // cvtsi2sd xmm1, rbx
		0xf2, 0x0f, 0x58, 0xc1, // addsd xmm0, xmm1
		0xf2, 0x0f, 0x2c, 0xc0, // cvttsd2si eax, xmm0
		0x04, '0', // add al, '0'
		0x66, 0xba, guestPort & 0xff, guestPort >> 8, // mov dx, guestPort
		0xee, // out dx, al
		0xf4, // hlt
	}
}

// kvmSegment, kvmSregs and kvmRegs are structures of the kernel.
type kvmSegment struct {
	Base                                              uint64
	Limit                                             uint32
	Selector                                          uint16
	Type, Present, DPL, DB, S, L, G, AVL, Unusable, _ uint8
}

type kvmSregs struct {
	CS, DS, ES, FS, GS, SS, TR, LDT kvmSegment
	GDT, IDT                        [2]uint64
	CR0, CR2, CR3, CR4, CR8         uint64
	EFER, APICBase                  uint64
	Interrupts                      [4]uint64
}

type kvmRegs struct {
	RAX, RBX, RCX, RDX, RSI, RDI, RSP, RBP uint64
	R                                      [8]uint64
	RIP, RFLAGS                            uint64
}

// guest is a virtual machine of one processor.
type guest struct {
	vm, cpu int
	mem     []byte // from address 0
	state   []byte // struct kvm_run
}

func newGuest(kvm int, program []byte) (g *guest, err error) {
	version, err := ioctl(kvm, kvmGetAPIVersion, 0)
	if err != nil {
		return nil, fmt.Errorf("ask for the API version: %w", err)
	}
	if version != kvmAPIVersion {
		return nil, fmt.Errorf("its API version is %d, not %d", version, kvmAPIVersion)
	}
	g = &guest{vm: -1, cpu: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
			g = nil
		}
	}()
	if g.vm, err = ioctl(kvm, kvmCreateVM, 0); err != nil {
		g.vm = -1
		return g, fmt.Errorf("create a virtual machine: %w", err)
	}
	// Old Intel processors need it for 16-bit code; others do not mind, nor do we.
	_, _ = ioctl(g.vm, kvmSetTSSAddr, 0xfffbd000)
	if err = g.addMemory(program); err != nil {
		return g, fmt.Errorf("give it memory: %w", err)
	}
	if err = g.addCPU(kvm); err != nil {
		return g, fmt.Errorf("give it a processor: %w", err)
	}
	return g, nil
}

func (g *guest) addMemory(program []byte) (err error) {
	g.mem, err = unix.Mmap(-1, 0, guestMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	copy(g.mem[guestStart:guestPML4], program)
	const present, writable, large = 1, 2, 1 << 7
	binary.LittleEndian.PutUint64(g.mem[guestPML4:], guestPDPT|present|writable)
	binary.LittleEndian.PutUint64(g.mem[guestPDPT:], guestPD|present|writable)
	binary.LittleEndian.PutUint64(g.mem[guestPD:], 0|present|writable|large)
	region := struct {
		Slot, Flags               uint32
		GuestAddress, Size, Start uint64
	}{Size: uint64(len(g.mem)), Start: uint64(uintptr(unsafe.Pointer(&g.mem[0])))}
	_, err = ioctl(g.vm, kvmSetUserMemory, uintptr(unsafe.Pointer(&region)))
	return err
}

func (g *guest) addCPU(kvm int) (err error) {
	if g.cpu, err = ioctl(g.vm, kvmCreateVCPU, 0); err != nil {
		g.cpu = -1
		return err
	}
	size, err := ioctl(kvm, kvmGetVCPUMmapSize, 0)
	if err != nil {
		return err
	}
	if g.state, err = unix.Mmap(g.cpu, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return err
	}
	return g.enterLongMode()
}

// enterLongMode sets the processor up as a boot loader would, for 64-bit code with paging
// and floating point.
func (g *guest) enterLongMode() error {
	var s kvmSregs
	if _, err := ioctl(g.cpu, kvmGetSregs, uintptr(unsafe.Pointer(&s))); err != nil {
		return err
	}
	const pe, mp, et, ne, wp, pg = 1 << 0, 1 << 1, 1 << 4, 1 << 5, 1 << 16, 1 << 31
	const pae, osfxsr, lme, lma = 1 << 5, 1 << 9, 1 << 8, 1 << 10
	s.CR0, s.CR3, s.CR4, s.EFER = pe|mp|et|ne|wp|pg, guestPML4, pae|osfxsr, lme|lma
	s.CS = kvmSegment{Limit: 0xffffffff, Selector: 8, Type: 11, Present: 1, S: 1, L: 1, G: 1}
	data := kvmSegment{Limit: 0xffffffff, Selector: 16, Type: 3, Present: 1, S: 1, DB: 1, G: 1}
	s.DS, s.ES, s.FS, s.GS, s.SS = data, data, data, data, data
	if _, err := ioctl(g.cpu, kvmSetSregs, uintptr(unsafe.Pointer(&s))); err != nil {
		return err
	}
	regs := kvmRegs{RAX: 2, RBX: 2, RIP: guestStart, RFLAGS: 2} // a bit that is always set
	_, err := ioctl(g.cpu, kvmSetRegs, uintptr(unsafe.Pointer(&regs)))
	return err
}

// run lets the processor go until it halts. The right sum must have come out.
func (g *guest) run(ctx context.Context) error {
	var out []byte
	for ctx.Err() == nil {
		_, err := ioctl(g.cpu, kvmRun, 0)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue // a signal for Go's runtime, or our own
		}
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		switch reason := binary.LittleEndian.Uint32(g.state[runExitReason:]); reason {
		case kvmExitIO:
			at := binary.LittleEndian.Uint64(g.state[runIODataOffset:])
			if at >= uint64(len(g.state)) || len(out) > 0 {
				return errors.New("it does not compute")
			}
			out = append(out, g.state[at])
		case kvmExitHLT:
			if string(out) != "4" {
				return fmt.Errorf("2+2 gave %q", out)
			}
			return nil
		case kvmExitIntr:
		case kvmExitFailEntry:
			return fmt.Errorf("the processor refuses to enter it (reason %#x)", binary.LittleEndian.Uint64(g.state[runUnion:]))
		case kvmExitInternal:
			return fmt.Errorf("KVM cannot run its 64-bit code (internal error %d)", binary.LittleEndian.Uint32(g.state[runUnion:]))
		default:
			return fmt.Errorf("it stopped for an unknown reason (%d)", reason)
		}
	}
	return ctx.Err()
}

// interrupt makes the next or present run return as soon as a signal arrives.
func (g *guest) interrupt() { g.state[runImmediateExit] = 1 }

func (g *guest) close() error {
	var errs []error
	for _, m := range [][]byte{g.state, g.mem} {
		if m != nil {
			errs = append(errs, unix.Munmap(m))
		}
	}
	for _, fd := range []int{g.cpu, g.vm} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}
