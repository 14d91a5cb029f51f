package viewer

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// fakeVNC speaks the server's side. Each field replaces one of its lines.
type fakeVNC struct {
	version  string
	security []byte
	result   []byte
	size     [2]uint16
	updates  [][]byte // one batch after each request for the screen
}

func normalVNC() *fakeVNC {
	return &fakeVNC{version: "RFB 003.008\n", security: []byte{2, 2, 1}, result: make([]byte, 4), size: [2]uint16{3, 2}}
}

// serve plays the server until the client hangs up. It checks what the client sends.
func (f *fakeVNC) serve(t *testing.T, c io.ReadWriter) {
	expect := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(c, b); err != nil {
			return nil
		}
		return b
	}
	send := func(b []byte) { _, _ = c.Write(b) }
	send([]byte(f.version))
	if b := expect(12); b == nil || string(b) != rfbVersion {
		return
	}
	send(f.security)
	if b := expect(1); b == nil || b[0] != securityNone {
		return
	}
	send(f.result)
	if b := expect(1); b == nil || b[0] != 1 {
		return
	}
	init := binary.BigEndian.AppendUint16(nil, f.size[0])
	init = binary.BigEndian.AppendUint16(init, f.size[1])
	init = append(init, make([]byte, 16)...)
	send(append(init, 0, 0, 0, 4, 'Q', 'E', 'M', 'U'))
	if b := expect(20 + 4 + 3*4); b == nil {
		return
	} else if b[0] != 0 || b[4] != 32 || b[20] != 2 {
		t.Errorf("client sent % x", b)
		return
	}
	for _, u := range f.updates {
		if b := expect(10); b == nil {
			return
		} else if b[0] != 3 || b[1] != 0 {
			t.Errorf("client sent % x, want a request for the whole screen", b)
			return
		}
		send(u)
	}
	_, _ = io.Copy(io.Discard, c)
}

func rect(x, y, w, h uint16, encoding int32, data ...byte) []byte {
	var b []byte
	for _, v := range []uint16{x, y, w, h} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(binary.BigEndian.AppendUint32(b, uint32(encoding)), data...)
}

func update(rects ...[]byte) []byte {
	b := []byte{msgFramebufferUpdate, 0, 0, byte(len(rects))}
	for _, r := range rects {
		b = append(b, r...)
	}
	return b
}

// pixels are n pixels of one colour as they travel: blue, green, red, nothing.
func pixels(n int, c color.RGBA) []byte {
	var b []byte
	for range n {
		b = append(b, c.B, c.G, c.R, 0)
	}
	return b
}

var (
	red  = color.RGBA{255, 0, 0, 255}
	blue = color.RGBA{0, 0, 255, 255}
)

func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	})
	return l.Addr().String()
}

func concat(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestScreenshot(t *testing.T) {
	whole := update(rect(0, 0, 3, 2, encRaw, pixels(6, red)...))
	screens := append([]byte{1, 0, 0, 0}, make([]byte, 16)...)
	for _, c := range []struct {
		name    string
		updates [][]byte
		size    image.Point
		corner  color.RGBA // of the pixel at the lower right
	}{
		{"at once", [][]byte{whole}, image.Pt(3, 2), red},
		{"two rectangles", [][]byte{update(
			rect(0, 0, 3, 1, encRaw, pixels(3, red)...),
			rect(0, 1, 3, 1, encRaw, pixels(3, blue)...))}, image.Pt(3, 2), blue},
		{"two updates, one part twice", [][]byte{concat(
			update(rect(0, 0, 3, 1, encRaw, pixels(3, blue)...)),
			update(rect(0, 0, 3, 1, encRaw, pixels(3, red)...)),
			update(rect(0, 1, 3, 1, encRaw, pixels(3, blue)...)))}, image.Pt(3, 2), blue},
		{"other messages between", [][]byte{concat(
			[]byte{msgBell},
			[]byte{msgColourMap, 0, 0, 0, 0, 1}, make([]byte, 6),
			[]byte{msgServerCutText, 0, 0, 0, 0, 0, 0, 2, 'h', 'i'},
			[]byte{msgServerCutText, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 'h', 'i'}, // extended clipboard: -2
			whole)}, image.Pt(3, 2), red},
		{"QEMU's greeting of one screen", [][]byte{concat(
			update(rect(0, 0, 3, 2, encExtendedDesktopSize, screens...)), whole)}, image.Pt(3, 2), red},
		{"resized", [][]byte{
			update(rect(0, 0, 1, 1, encDesktopSize)),
			update(rect(0, 0, 1, 1, encRaw, pixels(1, blue)...))}, image.Pt(1, 1), blue},
		{"resized, extended", [][]byte{
			concat(update(rect(0, 0, 3, 1, encRaw, pixels(3, red)...)), update(rect(0, 0, 4, 1, encExtendedDesktopSize, screens...))),
			update(rect(0, 0, 4, 1, encRaw, pixels(4, blue)...))}, image.Pt(4, 1), blue},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := normalVNC()
			f.updates = c.updates
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			img, err := Screenshot(ctx, listen(t, func(conn net.Conn) { f.serve(t, conn) }))
			if err != nil {
				t.Fatal(err)
			}
			if img.Bounds().Size() != c.size {
				t.Errorf("size %v, want %v", img.Bounds().Size(), c.size)
			}
			if got := img.At(c.size.X-1, c.size.Y-1); got != c.corner {
				t.Errorf("lower right pixel is %v, want %v", got, c.corner)
			}
		})
	}
}

func TestScreenshotErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*fakeVNC)
		want string
	}{
		{"an SSH server", func(f *fakeVNC) { f.version = "SSH-2.0-OpenSSH_9" }, "not a VNC server"},
		{"old version", func(f *fakeVNC) { f.version = "RFB 003.003\n" }, "version 3.3 is not supported"},
		{"newer protocol", func(f *fakeVNC) { f.version = "RFB 004.001\n" }, "version 4.1 is not supported"},
		{"password", func(f *fakeVNC) { f.security = []byte{1, 2} }, "asks for a password"},
		{"too many connections", func(f *fakeVNC) { f.security = []byte{0, 0, 0, 0, 4, 'f', 'u', 'l', 'l'} }, "refuses: full"},
		{"security fails", func(f *fakeVNC) { f.result = []byte{0, 0, 0, 1, 0, 0, 0, 2, 'n', 'o'} }, "refuses: no"},
		{"endless reason", func(f *fakeVNC) { f.result = []byte{0, 0, 0, 1, 0x7f, 0, 0, 0} }, "a text of"},
		{"no screen", func(f *fakeVNC) { f.size = [2]uint16{0, 2} }, "0x2 is impossible"},
		{"huge screen", func(f *fakeVNC) { f.size = [2]uint16{65535, 65535} }, "is impossible"},
		{"outside", func(f *fakeVNC) { f.updates = [][]byte{update(rect(2, 0, 2, 1, encRaw))} }, "outside of its screen"},
		{"foreign encoding", func(f *fakeVNC) { f.updates = [][]byte{update(rect(0, 0, 1, 1, 7))} }, "encoding 7"},
		{"resized to nothing", func(f *fakeVNC) { f.updates = [][]byte{update(rect(0, 0, 0, 0, encDesktopSize))} }, "impossible"},
		{"foreign message", func(f *fakeVNC) { f.updates = [][]byte{{99}} }, "unknown VNC message 99"},
		{"huge clipboard", func(f *fakeVNC) { f.updates = [][]byte{{msgServerCutText, 0, 0, 0, 0x80, 0, 0, 0}} }, "a text of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := normalVNC()
			c.set(f)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			addr := listen(t, func(conn net.Conn) { f.serve(t, conn) })
			if _, err := Screenshot(ctx, addr); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Screenshot = %v, want %q", err, c.want)
			}
		})
	}
}

// A server may go at any byte: always an error, never a hang or a half picture.
func TestScreenshotCutOffAnywhere(t *testing.T) {
	f := normalVNC()
	f.updates = [][]byte{update(rect(0, 0, 3, 2, encRaw, pixels(6, red)...))}
	const all = 12 + 3 + 4 + 4 + 16 + 8 + 4 + 12 + 24
	for n := range all {
		addr := listen(t, func(c net.Conn) { f.serve(t, &cutter{Conn: c, left: n}) })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := Screenshot(ctx, addr)
		cancel()
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	ok := listen(t, func(c net.Conn) { f.serve(t, &cutter{Conn: c, left: all}) })
	if _, err := Screenshot(t.Context(), ok); err != nil {
		t.Errorf("after all %d bytes: %v", all, err)
	}
}

// cutter hangs up after so many bytes sent.
type cutter struct {
	net.Conn
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b[:min(len(b), c.left)])
	c.left -= n
	if c.left == 0 && err == nil {
		err = c.Conn.(*net.TCPConn).CloseWrite()
	}
	return n, err
}

func TestScreenshotEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	addr := listen(t, func(c net.Conn) {
		cancel() // connected, and then silence
		_, _ = io.Copy(io.Discard, c)
	})
	if _, err := Screenshot(ctx, addr); !errors.Is(err, context.Canceled) {
		t.Errorf("Screenshot = %v, want context.Canceled", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, addr := range []string{l.Addr().String(), "ws://" + l.Addr().String() + "/x", "ws://\x7f", "nonsense"} {
		if _, err := Screenshot(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "screenshot: connect") {
			t.Errorf("Screenshot(%q) = %v", addr, err)
		}
	}
}

func TestScreenshotOverWebSocket(t *testing.T) {
	f := normalVNC()
	f.updates = [][]byte{update(rect(0, 0, 3, 2, encRaw, pixels(6, red)...))}
	ws := websocket.Server{Handler: func(c *websocket.Conn) {
		c.PayloadType = websocket.BinaryFrame
		f.serve(t, c)
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); r.URL.Path != "/websockify" || user != "Docker" || password != "admin" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		ws.ServeHTTP(w, r)
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	img, err := Screenshot(t.Context(), "ws://Docker:admin@"+host+"/websockify")
	if err != nil {
		t.Fatal(err)
	}
	if got := img.At(0, 0); got != red {
		t.Errorf("pixel is %v", got)
	}
	if _, err := Screenshot(t.Context(), "ws://"+host+"/websockify"); err == nil {
		t.Error("no password was accepted")
	}
}
