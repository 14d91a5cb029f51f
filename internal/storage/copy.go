package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/docker/go-units"

	"vmctl/internal/hint"
)

// CopyProgress is told how many bytes of how many are copied; nil is allowed.
type CopyProgress func(done, total int64)

func (p CopyProgress) report(done, total int64) {
	if p != nil {
		p(done, total)
	}
}

// copyChunk is how much is copied between two looks at the context.
const copyChunk = 8 << 20

// spareSpace is left free on the file system that a copy goes to.
const spareSpace = 64 << 20

// treeCopy copies folders of a machine. Blocks are shared where the file system can.
type treeCopy struct {
	ctx      context.Context
	progress CopyProgress
	shares   bool // blocks are shared: the copy takes no space
	done     int64
	total    int64 // host bytes of all files
}

// copyPlaces copies folders into the folder to, under their names; those that are not there
// come to be empty. It returns the host bytes of the files, and whether they are
// shared. Before anything is written it makes sure that all can be read (else the error is
// a *DeniedError, as of the machine called name) and that there is room (else ErrNoSpace).
// All is on the disk when it returns.
func copyPlaces(ctx context.Context, name string, from []place, to string, progress CopyProgress) (bytes int64, shared bool, err error) {
	c := &treeCopy{ctx: ctx, progress: progress}
	sample, err := c.measure(name, from)
	if err != nil {
		return 0, false, err
	}
	if sample != "" {
		c.shares = canShare(sample, to)
	}
	if err := c.checkSpace(to); err != nil {
		return 0, false, err
	}
	c.progress.report(0, c.total)
	for _, p := range from {
		if err := c.tree(p.path, filepath.Join(to, p.rel)); err != nil {
			return 0, false, err
		}
	}
	return c.total, c.shares, syncDir(to)
}

// measure adds up the files and returns the largest.
func (c *treeCopy) measure(name string, from []place) (largest string, err error) {
	var denied []string
	var most int64
	for _, p := range from {
		err := walkFiles(p.path, func(path string, info fs.FileInfo) error {
			f, err := os.Open(path)
			if errors.Is(err, fs.ErrPermission) {
				denied = append(denied, path)
				return nil
			}
			if err != nil {
				return err
			}
			f.Close()
			size := allocated(info)
			c.total += size
			if size > most {
				largest, most = path, size
			}
			return nil
		}, &denied)
		if err != nil {
			return "", err
		}
	}
	if len(denied) > 0 {
		err := &DeniedError{Name: name, Paths: denied}
		return "", hint.With(err, "they belong to another user, as of a container; copy as root, or take them over: sudo chown -R %d %s", os.Getuid(), filepath.Dir(from[0].path))
	}
	return largest, nil
}

// walkFiles calls fn for each regular file of a folder, which may be absent. A link is an
// error, as what it leads to would not be in a copy; sockets and their like are left out.
func walkFiles(folder string, fn func(path string, info fs.FileInfo) error, denied *[]string) error {
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == folder:
			return nil
		case errors.Is(err, fs.ErrPermission):
			*denied = append(*denied, path)
			return fs.SkipDir
		case err != nil:
			return err
		case e.Type()&fs.ModeSymlink != 0:
			return hint.With(fmt.Errorf("%s is a link, and what it leads to would not be in the copy", path), "put the file itself there")
		case !e.Type().IsRegular(), isClaim(e.Name()):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		return fn(path, info)
	})
}

func (c *treeCopy) checkSpace(to string) error {
	if c.shares {
		return nil
	}
	free, err := FreeSpace(to)
	if err != nil {
		return err
	}
	if need := uint64(c.total) + spareSpace; free < need {
		err := fmt.Errorf("%w: the copy takes %s, and %s is free in %s", ErrNoSpace, units.BytesSize(float64(need)), units.BytesSize(float64(free)), to)
		return hint.With(err, "make room there; vmctl snapshot ls lists copies that may go")
	}
	return nil
}

// tree copies a folder and all that is in it.
func (c *treeCopy) tree(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return os.Mkdir(to, 0o700)
	}
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		source, target := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		switch {
		case e.IsDir():
			err = c.tree(source, target)
		case e.Type().IsRegular() && !isClaim(e.Name()):
			err = c.file(source, target)
		}
		if err != nil {
			return err
		}
	}
	return errors.Join(likeness(to, info), syncDir(to))
}

// file copies one file, and makes sure that nothing wrote to it meanwhile.
func (c *treeCopy) file(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	before, err := src.Stat()
	if err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if !share(dst, src) {
		err = c.data(dst, src, before.Size())
	}
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	after, err := os.Stat(from)
	if err != nil {
		return err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return fmt.Errorf("%s changed while it was copied: something runs on it", from)
	}
	if c.shares {
		c.done += allocated(before)
		c.progress.report(c.done, c.total)
	}
	return likeness(to, before)
}

// data copies what is not a hole. The kernel copies where it can: io.CopyN between files
// is copy_file_range(2).
func (c *treeCopy) data(dst, src *os.File, size int64) error {
	if err := dst.Truncate(size); err != nil {
		return err
	}
	return extents(src, size, func(start, end int64) error {
		if _, err := src.Seek(start, io.SeekStart); err != nil {
			return err
		}
		if _, err := dst.Seek(start, io.SeekStart); err != nil {
			return err
		}
		for start < end {
			if err := c.ctx.Err(); err != nil {
				return err
			}
			n, err := io.CopyN(dst, src, min(copyChunk, end-start))
			if err != nil {
				return fmt.Errorf("copy %s: %w", src.Name(), err)
			}
			start += n
			c.done += n
			c.progress.report(c.done, max(c.total, c.done))
		}
		return nil
	})
}

// likeness gives a copy the mode, the times and, where this user may, the owner of what it
// was copied from.
func likeness(path string, like fs.FileInfo) error {
	if was, ok := like.Sys().(*syscall.Stat_t); ok {
		if err := os.Lchown(path, int(was.Uid), int(was.Gid)); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	if err := os.Chmod(path, like.Mode().Perm()); err != nil {
		return err
	}
	return os.Chtimes(path, time.Time{}, like.ModTime())
}
