package portfwdtest

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// udpReordered has a guest that answers several clients in the opposite order: each gets
// its own answers, in the order in which they were given.
func udpReordered(t *testing.T, r Rung) {
	if r.ListenUDP == nil {
		return
	}
	guest, address := r.ListenUDP(t)
	const clients, each = 4, 16
	go func() {
		type datagram struct {
			text string
			from net.Addr
		}
		var got []datagram
		buffer := make([]byte, 2048)
		for len(got) < clients*each {
			n, from, err := guest.ReadFrom(buffer)
			if err != nil {
				return
			}
			got = append(got, datagram{string(buffer[:n]), from})
		}
		for i := len(got) - 1; i >= 0; i-- {
			_, _ = guest.WriteTo([]byte(got[i].text), got[i].from)
		}
	}()
	conns := make([]net.Conn, clients)
	for i := range conns {
		conns[i] = dialUDP(t, address)
	}
	for n := range each {
		for i, c := range conns {
			if _, err := fmt.Fprintf(c, "%d/%d", i, n); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Millisecond) // nothing on the way may overflow
	}
	buffer := make([]byte, 2048)
	for i, c := range conns {
		for n := each - 1; n >= 0; n-- {
			k, err := c.Read(buffer)
			if want := fmt.Sprintf("%d/%d", i, n); err != nil || string(buffer[:k]) != want {
				t.Fatalf("client %d got %q, %v; want %q", i, buffer[:k], err, want)
			}
		}
	}
}

// udpSizes sends datagrams of all sizes: none may be cut, joined or dropped.
func udpSizes(t *testing.T, r Rung) {
	if r.ListenUDP == nil {
		return
	}
	guest, address := r.ListenUDP(t)
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, from, err := guest.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = guest.WriteTo(buffer[:n], from)
		}
	}()
	c := dialUDP(t, address)
	buffer := make([]byte, 64<<10)
	for _, size := range []int{1, 0, 1200, 1472, 9000, 60000} {
		datagram, _ := io.ReadAll(noise(7, int64(size)))
		if _, err := c.Write(datagram); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(buffer); err != nil || string(buffer[:n]) != string(datagram) {
			t.Fatalf("%d bytes came back of %d, %v", n, size, err)
		}
	}
}

func dialUDP(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}
