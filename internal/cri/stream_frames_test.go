package cri

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
)

// written keeps what was written.
type written struct {
	net.Conn
	bytes.Buffer
}

func (w *written) Read(b []byte) (int, error)  { return w.Buffer.Read(b) }
func (w *written) Write(b []byte) (int, error) { return w.Buffer.Write(b) }

// A frame is written when its last piece is there, and not before, in whatever pieces it
// comes.
func TestFrameConnWritesWholeFrames(t *testing.T) {
	header := func(length int) []byte {
		return []byte{0x80, 3, 0, 1, 1, byte(length >> 16), byte(length >> 8), byte(length)}
	}
	large := bytes.Repeat([]byte("x"), 70000)
	for _, c := range []struct {
		name   string
		pieces [][]byte
	}{
		{"as spdystream does", [][]byte{header(70000)[:4], header(70000)[4:], large}},
		{"no data", [][]byte{header(0)[:4], header(0)[4:]}},
		{"at once", [][]byte{append(header(2), 'h', 'i')}},
		{"byte by byte", [][]byte{{0}, {0}, {0}, {1}, {0}, {0}, {0}, {2}, {'h'}, {'i'}}},
		{"data in pieces", [][]byte{header(5), []byte("he"), []byte("llo")}},
	} {
		w := &written{}
		conn := newFrameConn(w, new(atomic.Bool))
		for range 2 { // nothing of the first is in the way of the second
			before := w.Len()
			for i, piece := range c.pieces {
				if n, err := conn.Write(piece); n != len(piece) || err != nil {
					t.Fatalf("%s: %d, %v", c.name, n, err)
				}
				if last := i == len(c.pieces)-1; w.Len() > before != last {
					t.Errorf("%s: %d bytes are written after piece %d of %d", c.name, w.Len()-before, i+1, len(c.pieces))
				}
			}
		}
		if want := bytes.Repeat(bytes.Join(c.pieces, nil), 2); !bytes.Equal(w.Bytes(), want) {
			t.Errorf("%s: %d bytes, want %d, or they differ", c.name, w.Len(), len(want))
		}
	}
}

func TestFrameConnNotesTheLoss(t *testing.T) {
	var lost atomic.Bool
	conn := newFrameConn(&written{}, &lost)
	if _, err := conn.Read(make([]byte, 1)); err == nil || !lost.Load() {
		t.Errorf("%v, lost: %v", err, lost.Load())
	}
}
