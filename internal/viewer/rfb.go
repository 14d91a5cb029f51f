package viewer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

// The remote framebuffer protocol, RFC 6143; the extended desktop size is in the
// community's rfbproto.rst.
const (
	rfbVersion = "RFB 003.008\n"

	securityNone = 1

	msgFramebufferUpdate = 0
	msgColourMap         = 1
	msgBell              = 2
	msgServerCutText     = 3

	encRaw                 = 0
	encDesktopSize         = -223
	encExtendedDesktopSize = -308

	maxPixels = 1 << 26 // 8192x8192
	maxText   = 1 << 20 // names, reasons, clipboard
)

// rfb is a client that takes one picture.
type rfb struct {
	r       *bufio.Reader
	w       io.Writer
	img     *image.RGBA // a pixel not painted yet is transparent
	missing int         // pixels not painted yet
}

// capture takes one whole picture of the server behind conn.
func capture(conn io.ReadWriter) (image.Image, error) {
	c := &rfb{r: bufio.NewReaderSize(conn, 64<<10), w: conn}
	if err := c.handshake(); err != nil {
		return nil, err
	}
	if err := c.setUp(); err != nil {
		return nil, err
	}
	if err := c.request(); err != nil {
		return nil, err
	}
	for c.missing > 0 {
		if err := c.message(); err != nil {
			return nil, err
		}
	}
	return c.img, nil
}

// handshake agrees on version 3.8 and on no security.
func (c *rfb) handshake() error {
	var version [12]byte
	if err := c.read(&version); err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(version[:]), "RFB %03d.%03d\n", &major, &minor); err != nil {
		return fmt.Errorf("not a VNC server: it says %q", version)
	}
	if major != 3 || minor < 8 {
		return fmt.Errorf("VNC version %d.%d is not supported", major, minor)
	}
	if _, err := io.WriteString(c.w, rfbVersion); err != nil {
		return err
	}
	var n uint8
	if err := c.read(&n); err != nil {
		return err
	}
	if n == 0 {
		return c.refused()
	}
	types := make([]byte, n)
	if err := c.read(types); err != nil {
		return err
	}
	if !bytes.Contains(types, []byte{securityNone}) {
		return fmt.Errorf("%w (security types %d)", ErrPassword, types)
	}
	if _, err := c.w.Write([]byte{securityNone}); err != nil {
		return err
	}
	var result uint32
	if err := c.read(&result); err != nil {
		return err
	}
	if result != 0 {
		return c.refused()
	}
	return nil
}

// refused reads the server's reason.
func (c *rfb) refused() error {
	reason, err := c.text()
	if err != nil {
		return err
	}
	return fmt.Errorf("the VNC server refuses: %s", reason)
}

// setUp learns the screen's size and asks for 32-bit pixels in the order blue, green, red.
func (c *rfb) setUp() error {
	const shared = 1 // leave other viewers connected
	if _, err := c.w.Write([]byte{shared}); err != nil {
		return err
	}
	var screen struct {
		Width, Height uint16
		Format        [16]byte
	}
	if err := c.read(&screen); err != nil {
		return err
	}
	if _, err := c.text(); err != nil {
		return err
	}
	if err := c.resize(screen.Width, screen.Height); err != nil {
		return err
	}
	format := []byte{0, 0, 0, 0, // message 0 SetPixelFormat, padding
		32, 24, 0, 1, // bits, depth, little-endian, true colour
		0, 255, 0, 255, 0, 255, // maxima
		16, 8, 0, // shifts
		0, 0, 0}
	encodings := []int32{encRaw, encDesktopSize, encExtendedDesktopSize}
	format = append(format, 2, 0, 0, byte(len(encodings))) // message 2 SetEncodings
	for _, e := range encodings {
		format = binary.BigEndian.AppendUint32(format, uint32(e))
	}
	_, err := c.w.Write(format)
	return err
}

// request asks for the whole screen, whether it changed or not.
func (c *rfb) request() error {
	b := c.img.Bounds()
	msg := []byte{3, 0, 0, 0, 0, 0} // message 3, not incremental, from 0,0
	msg = binary.BigEndian.AppendUint16(msg, uint16(b.Dx()))
	msg = binary.BigEndian.AppendUint16(msg, uint16(b.Dy()))
	_, err := c.w.Write(msg)
	return err
}

func (c *rfb) resize(w, h uint16) error {
	pixels := int(w) * int(h)
	if pixels == 0 || pixels > maxPixels {
		return fmt.Errorf("the VNC server's screen of %dx%d is impossible", w, h)
	}
	c.img = image.NewRGBA(image.Rect(0, 0, int(w), int(h)))
	c.missing = pixels
	return nil
}

// read fills v, as binary.Read does, and names a premature end.
func (c *rfb) read(v any) error {
	err := binary.Read(c.r, binary.BigEndian, v)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the VNC server hung up: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// text reads a length and as many bytes.
func (c *rfb) text() (string, error) {
	var n uint32
	if err := c.read(&n); err != nil {
		return "", err
	}
	if n > maxText {
		return "", fmt.Errorf("the VNC server sends a text of %d bytes", n)
	}
	data := make([]byte, n)
	err := c.read(data)
	return string(data), err
}
