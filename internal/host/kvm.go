package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// kvmKick is how often a guest that overstays is told to stop, and kvmKicks how many
// times before it is given up for stuck in the kernel.
const (
	kvmKick  = 10 * time.Millisecond
	kvmKicks = 100
)

// errStuck says that the kernel does not give a thread back.
var errStuck = errors.New("it hangs in the kernel")

// runGuest makes a virtual machine and lets it run program, until ctx ends. The
// run happens on a thread of its own, which is interrupted with a signal (and, should
// even that fail, left behind), so that it never hangs the caller.
func runGuest(ctx context.Context, kvm *os.File, program []byte) error {
	vm, err := newGuest(int(kvm.Fd()), program)
	if err != nil {
		return err
	}
	tid := make(chan int, 1)
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tid <- unix.Gettid()
		done <- vm.run(ctx)
	}()
	thread := <-tid
	select {
	case err := <-done:
		return errors.Join(err, vm.close())
	case <-ctx.Done():
	}
	for range kvmKicks {
		vm.interrupt()
		// Go's runtime uses SIGURG for itself and ignores those that it did not send, but
		// the system call returns (runtime/signal_unix.go).
		_ = unix.Tgkill(os.Getpid(), thread, unix.SIGURG)
		select {
		case <-done:
			return errors.Join(fmt.Errorf("it does not finish: %w", ctx.Err()), vm.close())
		case <-time.After(kvmKick):
		}
	}
	return errStuck // the thread still uses the machine's memory: nothing may be closed
}

func ioctl(fd int, request uintptr, arg uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, arg)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
