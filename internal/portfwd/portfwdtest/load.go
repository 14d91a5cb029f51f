package portfwdtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// noise is n bytes that are the same for each seed.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func sum(r io.Reader) (string, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// expect fails the test unless r is the noise of seed, to the last byte.
func expect(t testing.TB, what string, r io.Reader, seed byte, n int64) {
	t.Helper()
	want, _, _ := sum(noise(seed, n))
	got, length, err := sum(r)
	if err != nil || got != want {
		t.Errorf("%s: %d bytes of %d, %v; the checksum is %.8s, want %.8s", what, length, n, err, got, want)
	}
}

func send(c *net.TCPConn, seed byte, n int64) {
	if _, err := io.Copy(c, noise(seed, n)); err == nil {
		_ = c.CloseWrite()
	}
}

func largeUp(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	go send(client, 1, r.Large)
	expect(t, "at the guest", guest, 1, r.Large)
}

func largeDown(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	go send(guest, 2, r.Large)
	expect(t, "at the client", client, 2, r.Large)
}

func largeBoth(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	var wg sync.WaitGroup
	for _, way := range []struct {
		from, to *net.TCPConn
		seed     byte
	}{{client, guest, 3}, {guest, client, 4}} {
		// Neither end is passed on: a rung may end both directions with the first.
		wg.Go(func() { _, _ = io.Copy(way.from, noise(way.seed, r.Large)) })
		wg.Go(func() {
			expect(t, fmt.Sprint("way ", way.seed), io.LimitReader(way.to, r.Large), way.seed, r.Large)
		})
	}
	wg.Wait()
}

// slowReader leaves one connection unread for a while: the others go on, and it loses
// nothing.
func slowReader(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	size := r.Large
	serve(l, func(c *net.TCPConn) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err != nil {
			return
		}
		if first[0] == 'L' {
			send(c, 5, size)
			return
		}
		_, _ = c.Write(first)
		echo(c)
	})
	slow := dial(t, address)
	_, _ = io.WriteString(slow, "L")
	time.Sleep(300 * time.Millisecond) // the buffers on the way fill up
	for i := range 5 {
		ask(t, dial(t, address), fmt.Sprint("quick ", i))
	}
	expect(t, "after the pause", slow, 5, size)
}

// webSocket is noVNC's way: an upgrade, then frames both ways.
func webSocket(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	server := &http.Server{ReadHeaderTimeout: patience, Handler: websocket.Handler(func(c *websocket.Conn) {
		var frame []byte
		for websocket.Message.Receive(c, &frame) == nil {
			if websocket.Message.Send(c, frame) != nil {
				return
			}
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	c, err := websocket.Dial("ws://"+address+"/websockify", "binary", "http://"+address+"/")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	for _, size := range []int{0, 1, 125, 126, 65535, 65536, 300000} {
		frame, _ := io.ReadAll(noise(6, int64(size)))
		if err := websocket.Message.Send(c, frame); err != nil {
			t.Fatal(err)
		}
		var got []byte
		if err := websocket.Message.Receive(c, &got); err != nil || string(got) != string(frame) {
			t.Fatalf("a frame of %d bytes came back as one of %d, %v", size, len(got), err)
		}
	}
}

// manyAtOnce holds many connections open and uses each of them.
func manyAtOnce(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	serve(l, echo)
	conns := make([]net.Conn, r.Parallel)
	errs := make([]error, r.Parallel)
	each := func(do func(i int) error) {
		var wg sync.WaitGroup
		slots := make(chan struct{}, 64) // the listeners' queues are not what is tested
		for i := range conns {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if errs[i] == nil {
					errs[i] = do(i)
				}
			})
		}
		wg.Wait()
	}
	each(func(i int) (err error) {
		if conns[i], err = net.DialTimeout("tcp", address, patience); err == nil {
			_ = conns[i].SetDeadline(time.Now().Add(patience))
			err = exchange(conns[i], fmt.Sprint("first ", i))
		}
		return err
	})
	each(func(i int) error { return exchange(conns[i], fmt.Sprint("second ", i)) })
	failed := 0
	for i, c := range conns {
		if errs[i] != nil {
			failed++
			t.Log(errs[i])
		}
		if c != nil {
			c.Close()
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d connections failed", failed, len(conns))
	}
}
