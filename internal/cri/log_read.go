package cri

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"vmctl/internal/hint"
)

// logPoll is how often a followed file is looked at. Polling sees renames,
// truncation and symbolic links alike, and costs a stat.
const logPoll = 200 * time.Millisecond

// LogOptions says which lines ReadLog delivers. The zero value delivers all that
// are there.
type LogOptions struct {
	// Follow waits for more, and for the file itself, until ctx ends or Stopped
	// says that no more will come.
	Follow bool
	// Tail delivers only the last so many lines of what is there; 0 is all.
	Tail int
	// Since drops lines before this time.
	Since time.Time
	// Stopped is asked, when following, at the end of the file: true means that
	// the container has ended. Nil means never.
	Stopped func() bool
}

// ReadLog reads a container's log file, ContainerStatus.LogPath, and calls fn for
// every line in order. It reads the CRI format and Docker's json-file format,
// joins lines that the runtime has cut, and follows through rotation: a renamed
// file is read to its end before the new one, a truncated one from its start.
// Lines in neither format are delivered as they are, without time and stream.
//
// It returns nil at the end, fn's error as it is, and ctx.Err() when ctx ends. A
// missing file is ErrNotFound (Follow waits instead), one that this user may not
// read ErrPermission: containerd makes log files for root alone.
func ReadLog(ctx context.Context, path string, opts LogOptions, fn func(LogLine) error) error {
	r := &logReader{path: path, opts: opts, fn: fn}
	defer r.close()
	if opts.Tail > 0 {
		r.ring = &lineRing{max: opts.Tail}
	}
	for stopped := false; ; {
		if err := r.advance(ctx); err != nil {
			return err
		}
		if !opts.Follow || stopped {
			return r.finish()
		}
		// Once more after the end: what came between the read and the question.
		if opts.Stopped != nil && opts.Stopped() {
			stopped = true
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(logPoll):
		}
	}
}

// finish delivers what has no end.
func (r *logReader) finish() error {
	if len(r.line) > 0 {
		if err := r.take(r.line); err != nil {
			return err
		}
	}
	for _, l := range r.join.flush() {
		if err := r.deliver(l); err != nil {
			return err
		}
	}
	return r.releaseTail()
}

// deliver hands one line to the caller, or keeps it while the tail is not known.
func (r *logReader) deliver(l LogLine) error {
	if l.Stream != "" && l.Time.Before(r.opts.Since) {
		return nil
	}
	if r.ring != nil {
		r.ring.add(l)
		return nil
	}
	return r.fn(l)
}

// releaseTail delivers the kept lines; from then on lines pass at once.
func (r *logReader) releaseTail() error {
	if r.ring == nil {
		return nil
	}
	kept := r.ring.lines()
	r.ring = nil
	for _, l := range kept {
		if err := r.fn(l); err != nil {
			return err
		}
	}
	return nil
}

// lineRing keeps the last max lines.
type lineRing struct {
	max  int
	buf  []LogLine
	next int
}

func (r *lineRing) add(l LogLine) {
	if len(r.buf) < r.max {
		r.buf = append(r.buf, l)
		return
	}
	r.buf[r.next] = l
	r.next = (r.next + 1) % r.max
}

func (r *lineRing) lines() []LogLine {
	return append(append([]LogLine(nil), r.buf[r.next:]...), r.buf[:r.next]...)
}

func logError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("log %q: %w", path, &rpcError{text: "no such file", kinds: []error{ErrNotFound, err}})
	case errors.Is(err, fs.ErrPermission):
		err = &rpcError{text: "permission denied", kinds: []error{ErrPermission, err}}
		return hint.With(fmt.Errorf("log %q: %w", path, err), "the runtime writes logs for root alone: run with sudo")
	}
	return fmt.Errorf("log %q: %w", path, err)
}
