package cri

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// logReader reads a log file that grows, is renamed and is truncated.
type logReader struct {
	path string
	opts LogOptions
	fn   func(LogLine) error

	file   *os.File // nil: not there yet
	in     *bufio.Reader
	offset int64  // how much of file has been read
	line   []byte // the beginning of a line whose end is not written yet
	join   logJoiner
	ring   *lineRing // nil: no tail wanted, or delivered already
}

// advance delivers everything that can be read now.
func (r *logReader) advance(ctx context.Context) error {
	for {
		if r.file == nil {
			if opened, err := r.open(); err != nil || !opened {
				return err
			}
		}
		if err := r.drain(ctx); err != nil {
			return err
		}
		if !r.opts.Follow {
			return nil
		}
		// The tail is that of the file as it was found.
		if err := r.releaseTail(); err != nil {
			return err
		}
		moved, err := r.rotated(ctx)
		if err != nil || !moved {
			return err
		}
	}
}

// open opens the file. When following, one that is not there is awaited.
func (r *logReader) open() (bool, error) {
	f, err := os.Open(r.path)
	if r.opts.Follow && errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, logError(r.path, err)
	}
	r.file, r.in, r.offset = f, bufio.NewReaderSize(f, 64<<10), 0
	return true, nil
}

func (r *logReader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// drain reads complete lines to the end of the file.
func (r *logReader) drain(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk, err := r.in.ReadBytes('\n')
		r.offset += int64(len(chunk))
		r.line = append(r.line, chunk...)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return logError(r.path, err)
		}
		line := r.line
		r.line = nil
		if err := r.take(line); err != nil {
			return err
		}
	}
}

// take parses one line and delivers what it completes.
func (r *logReader) take(raw []byte) error {
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	part, err := parseLogLine(raw)
	if err != nil {
		return r.deliver(endLine(LogLine{Text: string(raw)}))
	}
	if l, ok := r.join.add(part); ok {
		return r.deliver(l)
	}
	return nil
}

// rotated notices that the path has become another file, or that the file has
// become shorter, and gets ready to read on from the start.
func (r *logReader) rotated(ctx context.Context) (bool, error) {
	now, err := os.Stat(r.path)
	if err != nil {
		// Between the rename and the new file: the old one may still grow.
		return false, nil
	}
	old, err := r.file.Stat()
	if err != nil {
		return false, logError(r.path, err)
	}
	switch {
	case !os.SameFile(now, old):
		// The writer changes over only after the rename.
		if err := r.drain(ctx); err != nil {
			return false, err
		}
		if len(r.line) > 0 {
			err = r.take(r.line)
		}
		r.close()
	case now.Size() < r.offset:
		if _, err := r.file.Seek(0, io.SeekStart); err != nil {
			return false, logError(r.path, err)
		}
		r.in.Reset(r.file)
		r.offset = 0
	default:
		return false, nil
	}
	r.line = nil
	return true, err
}
