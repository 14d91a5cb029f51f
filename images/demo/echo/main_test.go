package main

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

func TestStreamsComeBackWhole(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- echoStreams(l) }()
	sent := bytes.Repeat([]byte("demo"), 64<<10)
	for range 2 { // a second connection, to see that the first did not use it up
		conn := dial(t, "tcp", l.Addr().String())
		go func() {
			_, _ = conn.Write(sent)
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("got %d bytes back, want the %d sent", len(got), len(sent))
		}
	}
	l.Close()
	ended(t, done)
}

func TestPacketsComeBackToTheirSenders(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- echoPackets(c) }()
	first, second := dial(t, "udp", c.LocalAddr().String()), dial(t, "udp", c.LocalAddr().String())
	for conn, text := range map[net.Conn]string{first: "one", second: ""} {
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 16)
		n, err := conn.Read(buf)
		if err != nil || string(buf[:n]) != text {
			t.Errorf("got %q, %v, want %q", buf[:n], err, text)
		}
	}
	c.Close()
	ended(t, done)
}

func TestServeNamesATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := serve(taken.Addr().String()); err == nil {
		t.Error("serve on a taken port gave no error")
	}
}

func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func ended(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err == nil {
			t.Error("the server ended without saying why")
		}
	case <-time.After(10 * time.Second):
		t.Error("the server did not end with its listener")
	}
}
