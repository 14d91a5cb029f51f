package host

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// openKVM returns nil where there is no KVM to try: then the tests say so and prove less.
func openKVM(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Logf("not tried on a real KVM: %v", err)
		return nil
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// 64-bit code without floating point: runs on hardware and on interpreting KVMs alike.
var (
	addTwo  = []byte{0x00, 0xd8, 0x04, '0', 0x66, 0xba, 0xf8, 0x03, 0xee, 0xf4} // add al, bl; add al, '0'; mov dx, 0x3f8; out; hlt
	addLess = []byte{0x04, '0', 0x66, 0xba, 0xf8, 0x03, 0xee, 0xf4}             // without the first
	twice   = []byte{0x66, 0xba, 0xf8, 0x03, 0xee, 0xee, 0xf4}
	silent  = []byte{0xf4}
	forever = []byte{0xeb, 0xfe} // jmp to itself
)

func TestGuestPrograms(t *testing.T) {
	f := openKVM(t)
	if f == nil {
		return
	}
	for _, c := range []struct {
		name    string
		program []byte
		want    string // in the error, "" for none
	}{
		{"right sum", addTwo, ""},
		{"wrong sum", addLess, `2+2 gave "2"`},
		{"no answer", silent, `2+2 gave ""`},
		{"two answers", twice, "does not compute"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := runGuest(ctx, f, c.program)
		cancel()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A guest that never stops is stopped, and its thread comes back.
func TestGuestThatNeverEnds(t *testing.T) {
	f := openKVM(t)
	if f == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := runGuest(ctx, f, forever)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errStuck) {
		t.Errorf("runGuest = %v, want context.DeadlineExceeded", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestGuestLeavesNoDescriptors(t *testing.T) {
	f := openKVM(t)
	if f == nil {
		return
	}
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	before := count()
	for range 20 {
		_ = runGuest(t.Context(), f, addTwo)
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
