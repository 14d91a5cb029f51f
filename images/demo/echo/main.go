// Command echo answers inside the demo guest: whatever arrives on TCP or UDP
// port 7 goes back to its sender (RFC 862). The busybox of the guest has no
// server for UDP, and forwarding must be tested with both.
//
// Usage: echo [ADDRESS], :7 unless given. It prints nothing and ends only
// when a listener cannot be opened or breaks, with code 1.
package main

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

func main() {
	address := ":7"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := serve(address); err != nil {
		os.Stderr.WriteString("echo: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// serve echoes on both protocols until one of them breaks.
func serve(address string) error {
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	defer udp.Close()
	broken := make(chan error, 2)
	go func() { broken <- echoStreams(tcp) }()
	go func() { broken <- echoPackets(udp) }()
	return <-broken
}

func echoStreams(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			// Out of descriptors, or the peer left at once: try again.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go func() {
			defer conn.Close()
			// The peer's half-close ends the copy; the close then answers it.
			_, _ = io.Copy(conn, conn)
		}()
	}
}

func echoPackets(c net.PacketConn) error {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue // an ICMP error of an earlier answer
		}
		_, _ = c.WriteTo(buf[:n], from)
	}
}
