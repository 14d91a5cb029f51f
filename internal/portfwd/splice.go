package portfwd

import (
	"errors"
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Go's own io.Copy between TCP connections is splice(2) as well, but it holds a pipe for
// each direction of each connection, also while nothing moves: three quarters of a
// relay's descriptors. Here a pipe is taken when bytes are there, and given back when no
// more come.

// pipeSize is how much moves at once. The kernel limits what a user's pipes may hold in
// all, 64 MiB unless changed (pipe(7) pipe-user-pages-soft).
const pipeSize = 256 << 10

// kernelPipe is a pipe that bytes of one connection pass through to another.
type kernelPipe struct{ r, w int }

func (p *kernelPipe) close() {
	_ = unix.Close(p.r)
	_ = unix.Close(p.w)
}

// kernelPipes are those that nobody uses at the moment.
type kernelPipes chan *kernelPipe

// sparePipes is how many are kept for the next bytes.
const sparePipes = 16

func (free kernelPipes) get() (*kernelPipe, error) {
	select {
	case p := <-free:
		return p, nil
	default:
	}
	fds := make([]int, 2)
	if err := unix.Pipe2(fds, unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, err
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize) // else it stays small
	return &kernelPipe{fds[0], fds[1]}, nil
}

// put takes back an empty pipe.
func (free kernelPipes) put(p *kernelPipe) {
	select {
	case free <- p:
	default:
		p.close()
	}
}

// close closes those that are free.
func (free kernelPipes) close() {
	for {
		select {
		case p := <-free:
			p.close()
		default:
			return
		}
	}
}

// splice moves all bytes from src to dst within the kernel, until src ends, and returns
// how many.
func (free kernelPipes) splice(dst, src *net.TCPConn) (moved int64, err error) {
	from, err := src.SyscallConn()
	if err != nil {
		return 0, err
	}
	to, err := dst.SyscallConn()
	if err != nil {
		return 0, err
	}
	for {
		if err := awaitBytes(from); err != nil {
			return moved, ended(err)
		}
		p, err := free.get()
		if err != nil {
			return moved, err
		}
		n, err := p.move(to, from)
		moved += n
		if err != nil {
			p.close() // what is left in it is nobody's
			return moved, ended(err)
		}
		free.put(p)
	}
}

// ended is nil for the end of a stream.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// awaitBytes returns when there is something to read, with io.EOF when that is the end.
func awaitBytes(from syscall.RawConn) error {
	var n int
	var failure error
	err := from.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, failure = unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK)
		return !again(failure)
	})
	return outcome(n, first(err, failure))
}

// move moves what is there, until nothing is. The pipe is empty then, unless there was an
// error.
func (p *kernelPipe) move(to, from syscall.RawConn) (moved int64, err error) {
	for {
		n, err := p.fill(from)
		if again(err) {
			return moved, nil
		}
		if err := outcome(int(n), err); err != nil {
			return moved, err
		}
		for n > 0 {
			m, err := p.empty(to, int(n))
			if err := outcome(int(m), err); err != nil {
				return moved, err
			}
			n, moved = n-m, moved+m
		}
	}
}

// fill takes into the empty pipe what is there, and does not wait: EAGAIN is nothing.
func (p *kernelPipe) fill(from syscall.RawConn) (n int64, err error) {
	var failure error
	err = from.Read(func(fd uintptr) bool {
		n, failure = unix.Splice(int(fd), nil, p.w, nil, pipeSize, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		return true
	})
	return n, first(err, failure)
}

// empty gives n bytes of the pipe, or fewer, to the connection as soon as it takes some.
func (p *kernelPipe) empty(to syscall.RawConn, n int) (m int64, err error) {
	var failure error
	err = to.Write(func(fd uintptr) bool {
		m, failure = unix.Splice(p.r, nil, int(fd), nil, n, unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
		return !again(failure)
	})
	return m, first(err, failure)
}

// again tells that a call would have to wait.
func again(err error) bool {
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)
}

func outcome(n int, err error) error {
	if err == nil && n == 0 {
		return io.EOF
	}
	return err
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
