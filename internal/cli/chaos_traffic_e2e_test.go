//go:build e2e

package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// transfer sends blocks to a guest's echo server without end by one way, compares what
// comes back, and connects anew whenever its connection breaks.
type transfer struct {
	machine, way, network string
	address               func(context.Context) (string, error)

	mu     sync.Mutex
	last   time.Time     // of the last block that came back
	gap    time.Duration // the longest without one since mark
	breaks int           // connections, or datagrams, that were lost since mark
	blocks int64
	wrong  []string // what came back and was not what was sent
}

const (
	tcpBlock = 16 << 10
	udpBlock = 1 << 10
	// A connection is given up when nothing comes back for so long: a pod that is gone
	// says nothing.
	stalled    = 5 * time.Second
	unanswered = time.Second            // the first block of a connection gets less,
	lost       = 300 * time.Millisecond // and a datagram
)

// run goes on until ctx ends.
func (x *transfer) run(ctx context.Context) {
	for ctx.Err() == nil {
		if came := x.connection(ctx); came && ctx.Err() == nil {
			x.mu.Lock()
			x.breaks++
			x.mu.Unlock()
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// connection lasts until it breaks, and reports whether anything came back by it.
func (x *transfer) connection(ctx context.Context) (came bool) {
	dialing, cancel := context.WithTimeout(ctx, unanswered)
	defer cancel()
	address, err := x.address(dialing)
	if err != nil {
		return false
	}
	conn, err := new(net.Dialer).DialContext(dialing, x.network, address)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	noise := rand.NewChaCha8([32]byte{byte(rand.Uint32())})
	limit, later := unanswered, stalled
	if x.network == "udp" {
		limit, later = lost, lost
	}
	for number := uint64(0); ctx.Err() == nil; number++ {
		_ = conn.SetDeadline(time.Now().Add(limit))
		if err := x.block(conn, number, noise); err != nil {
			return came
		}
		came, limit = true, later
		pause(ctx, 10*time.Millisecond)
	}
	return came
}

// block sends one and takes it back. A datagram that comes too late is passed over.
func (x *transfer) block(conn net.Conn, number uint64, noise io.Reader) error {
	size := tcpBlock
	if x.network == "udp" {
		size = udpBlock
	}
	sent, got := make([]byte, size), make([]byte, size)
	_, _ = noise.Read(sent)
	binary.BigEndian.PutUint64(sent, number)
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	for {
		if _, err := io.ReadFull(conn, got); err != nil {
			return err
		}
		if x.network == "tcp" || binary.BigEndian.Uint64(got) == number {
			break
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !bytes.Equal(sent, got) {
		x.wrong = append(x.wrong, fmt.Sprintf("block %d is another", number))
		return errors.New("wrong data")
	}
	now := time.Now()
	if !x.last.IsZero() {
		x.gap = max(x.gap, now.Sub(x.last))
	}
	x.last = now
	x.blocks++
	return nil
}

// mark begins to count anew.
func (x *transfer) mark() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.gap, x.breaks = 0, 0
}

// goes reports whether a block came back after that moment.
func (x *transfer) goes(after time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.last.After(after)
}

func (x *transfer) String() string { return x.machine + " by " + x.way }

// counted are the breaks and the longest gap since mark.
func (x *transfer) counted() (breaks int, gap time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.breaks, x.gap
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// once asks the echo server behind address one time.
func once(network, address string) error {
	x := &transfer{network: network}
	conn, err := net.DialTimeout(network, address, unanswered)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(unanswered))
	err = x.block(conn, 0, rand.NewChaCha8([32]byte{}))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("no answer")
	}
	return err
}
