package viewer

import (
	"fmt"
	"image"
)

// message reads one message of the server.
func (c *rfb) message() error {
	var kind uint8
	if err := c.read(&kind); err != nil {
		return err
	}
	switch kind {
	case msgFramebufferUpdate:
		return c.update()
	case msgColourMap:
		var head struct {
			_        uint8
			_, Count uint16
		}
		if err := c.read(&head); err != nil {
			return err
		}
		return c.skip(int(head.Count) * 6)
	case msgBell:
		return nil
	case msgServerCutText:
		return c.cutText()
	}
	return fmt.Errorf("unknown VNC message %d", kind)
}

// cutText skips a clipboard. The extended clipboard gives its length negative.
func (c *rfb) cutText() error {
	var head struct {
		_ [3]byte
		N int32
	}
	if err := c.read(&head); err != nil {
		return err
	}
	n := int64(head.N)
	if n < 0 {
		n = -n
	}
	if n > maxText {
		return fmt.Errorf("the VNC server sends a text of %d bytes", n)
	}
	return c.skip(int(n))
}

// update reads the rectangles of a FramebufferUpdate. After a change of size the whole
// screen is asked for again.
func (c *rfb) update() error {
	var head struct {
		_     uint8
		Count uint16
	}
	if err := c.read(&head); err != nil {
		return err
	}
	resized := false
	for range head.Count {
		r, err := c.rectangle()
		if err != nil {
			return err
		}
		resized = resized || r
	}
	if resized {
		return c.request()
	}
	return nil
}

func (c *rfb) rectangle() (resized bool, err error) {
	var rect struct {
		X, Y, W, H uint16
		Encoding   int32
	}
	if err := c.read(&rect); err != nil {
		return false, err
	}
	switch rect.Encoding {
	case encRaw:
		at := image.Rect(int(rect.X), int(rect.Y), int(rect.X)+int(rect.W), int(rect.Y)+int(rect.H))
		return false, c.raw(at)
	case encDesktopSize:
		return true, c.resize(rect.W, rect.H)
	case encExtendedDesktopSize:
		var screens struct {
			N uint8
			_ [3]byte
		}
		if err := c.read(&screens); err != nil {
			return false, err
		}
		if err := c.skip(int(screens.N) * 16); err != nil {
			return false, err
		}
		// QEMU sends one at once, without a change: then the picture is under way.
		if b := c.img.Bounds(); b.Dx() == int(rect.W) && b.Dy() == int(rect.H) {
			return false, nil
		}
		return true, c.resize(rect.W, rect.H)
	}
	return false, fmt.Errorf("the VNC server uses encoding %d, which was not offered", rect.Encoding)
}

// raw paints a rectangle of pixels.
func (c *rfb) raw(at image.Rectangle) error {
	if !at.In(c.img.Bounds()) {
		return fmt.Errorf("the VNC server paints %v outside of its screen %v", at, c.img.Bounds())
	}
	row := make([]byte, at.Dx()*4)
	for y := at.Min.Y; y < at.Max.Y; y++ {
		if err := c.read(row); err != nil {
			return err
		}
		pix := c.img.Pix[c.img.PixOffset(at.Min.X, y):]
		for i := 0; i < len(row); i += 4 {
			if pix[i+3] == 0 {
				c.missing--
			}
			pix[i], pix[i+1], pix[i+2], pix[i+3] = row[i+2], row[i+1], row[i], 0xff
		}
	}
	return nil
}

func (c *rfb) skip(n int) error {
	if _, err := c.r.Discard(n); err != nil {
		return fmt.Errorf("the VNC server hung up: %w", err)
	}
	return nil
}
