package containerd

import "io"

// countReads tells fn after each read how much of total was read. A nil fn is not
// told.
func countReads(r io.Reader, total int64, fn func(done, total int64)) io.Reader {
	if fn == nil {
		return r
	}
	return &countingReader{r: r, total: total, fn: fn}
}

type countingReader struct {
	r           io.Reader
	done, total int64
	fn          func(done, total int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if n > 0 {
		c.fn(c.done, c.total)
	}
	return n, err
}
