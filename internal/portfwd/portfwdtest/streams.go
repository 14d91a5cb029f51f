package portfwdtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// echo sends back what comes until it ends.
func echo(c *net.TCPConn) {
	if _, err := io.Copy(c, c); err == nil {
		_ = c.CloseWrite()
	}
}

// ask sends text and expects it back.
func ask(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if err := exchange(c, text); err != nil {
		t.Fatal(err)
	}
}

func exchange(c net.Conn, text string) error {
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	answer := make([]byte, len(text))
	if _, err := io.ReadFull(c, answer); err != nil {
		return err
	}
	if string(answer) != text {
		return errors.New("another answer: " + string(answer))
	}
	return nil
}

func clientFirst(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	serve(l, echo)
	ask(t, dial(t, address), "GET / HTTP/1.1")
}

// serverFirst is SSH's and VNC's way: the client waits for a greeting.
func serverFirst(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	serve(l, func(c *net.TCPConn) { _, _ = io.WriteString(c, "RFB 003.008\n"); echo(c) })
	c := dial(t, address)
	greeting := make([]byte, 12)
	if _, err := io.ReadFull(c, greeting); err != nil || string(greeting) != "RFB 003.008\n" {
		t.Fatalf("%q, %v", greeting, err)
	}
	ask(t, c, "RFB 003.003\n")
}

func oneByteWrites(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	serve(l, echo)
	c := dial(t, address) // Go sets TCP_NODELAY
	want := bytes.Repeat([]byte("0123456789"), 200)
	go func() {
		for i := range want {
			if _, err := c.Write(want[i : i+1]); err != nil {
				return
			}
		}
		_ = c.CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(want), err)
	}
}

// halfCloseByClient is the way of `ssh cmd < file`, of rsync and of HTTP/1.0.
func halfCloseByClient(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	serve(l, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.ToUpper(all))
	})
	c := dial(t, address)
	_, _ = io.WriteString(c, "all of it")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if whole := err == nil && string(got) == "ALL OF IT"; whole == r.EndsBoth {
		t.Errorf("the client got %q, %v; the rung ends both directions: %v", got, err, r.EndsBoth)
	}
}

func halfCloseByGuest(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	_, _ = io.WriteString(guest, "bye")
	if err := guest.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); err != nil || string(got) != "bye" {
		t.Fatalf("the client got %q, %v", got, err)
	}
	if r.EndsBoth {
		return
	}
	_, _ = io.WriteString(client, "one more")
	_ = client.CloseWrite()
	if got, err := io.ReadAll(guest); err != nil || string(got) != "one more" {
		t.Errorf("the guest got %q, %v", got, err)
	}
}

// lateAnswer is a guest that works for a while on what it was sent.
func lateAnswer(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	_, _ = io.WriteString(client, "work")
	_ = client.CloseWrite()
	if got, err := io.ReadAll(guest); err != nil || string(got) != "work" {
		t.Fatalf("the guest got %q, %v", got, err)
	}
	time.Sleep(1500 * time.Millisecond) // longer than the runtimes wait
	_, _ = io.WriteString(guest, "done")
	guest.Close()
	got, err := io.ReadAll(client)
	if whole := err == nil && string(got) == "done"; whole == r.EndsBoth {
		t.Errorf("the client got %q, %v; the rung ends both directions: %v", got, err, r.EndsBoth)
	}
}

func resetByGuest(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	_, _ = io.WriteString(client, "x")
	_, _ = io.ReadFull(guest, make([]byte, 1))
	_ = guest.SetLinger(0)
	guest.Close()
	if n, err := client.Read(make([]byte, 1)); err == nil {
		t.Errorf("the client read %d bytes", n)
	} else if !r.EndsBoth && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client read %v, want a reset", err)
	}
}

func resetByClient(t *testing.T, r Rung) {
	client, guest := pair(t, r)
	_, _ = io.WriteString(client, "x")
	_, _ = io.ReadFull(guest, make([]byte, 1))
	_ = client.SetLinger(0)
	client.Close()
	if n, err := guest.Read(make([]byte, 1)); err == nil {
		t.Errorf("the guest read %d bytes", n)
	} else if !r.EndsBoth && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the guest read %v, want a reset", err)
	}
}

// refusedThenAccepted is a guest that is still booting: the connections before it listens
// fail, those that are open go on, and the next one works.
func refusedThenAccepted(t *testing.T, r Rung) {
	l, address := r.ListenTCP(t)
	serve(l, echo)
	open := dial(t, address)
	ask(t, open, "before")
	l.Close()
	for range 3 {
		c, err := net.DialTimeout("tcp", address, patience)
		if err != nil {
			continue
		}
		if !r.Accepts {
			t.Error("a guest that does not listen was reached")
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("%d bytes came from nowhere", n)
		}
		c.Close()
	}
	ask(t, open, "after")
}
