package cri

import (
	"bufio"
	"encoding/binary"
	"net"
	"sync/atomic"
)

// frameConn is the connection below spdystream, which writes each frame in three pieces
// and reads it in three: two thirds of its system calls, and a packet for each piece.
// frameConn writes a frame as one, and reads the next header ahead. Frames are written
// one after the other (spdystream idleAwareFramer.WriteFrame).
type frameConn struct {
	net.Conn
	in   *bufio.Reader
	out  []byte       // the beginning of a frame
	lost *atomic.Bool // set before spdystream sees that the connection is gone
}

// frameHeader is the size of a frame's header; its last three bytes are the length of
// what follows (SPDY Protocol Draft 3.1, section 2.2).
const frameHeader = 8

// readAhead is small, so that data goes straight to where it is wanted.
const readAhead = 4 << 10

func newFrameConn(raw net.Conn, lost *atomic.Bool) *frameConn {
	return &frameConn{Conn: raw, in: bufio.NewReaderSize(raw, readAhead), lost: lost}
}

func (c *frameConn) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	if err != nil {
		c.lost.Store(true)
	}
	return n, err
}

// Write takes a piece of a frame, and writes the frame with its last piece.
func (c *frameConn) Write(b []byte) (int, error) {
	length := frameLength(c.out)
	if length < 0 || len(c.out)+len(b) < length {
		c.out = append(c.out, b...)
		if length = frameLength(c.out); length < 0 || len(c.out) < length {
			return len(b), nil
		}
		_, err := c.Conn.Write(c.out)
		c.out = c.out[:0]
		return len(b), err
	}
	whole := net.Buffers{c.out, b}
	_, err := whole.WriteTo(c.Conn)
	c.out = c.out[:0]
	return len(b), err
}

// frameLength is how long the whole frame is that begins like this; -1 is not known yet.
func frameLength(begin []byte) int {
	if len(begin) < frameHeader {
		return -1
	}
	return frameHeader + int(binary.BigEndian.Uint32(begin[4:])&0xffffff)
}
