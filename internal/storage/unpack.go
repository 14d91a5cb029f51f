package storage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"vmctl/internal/hint"
)

// ErrPack is returned for what is not a packed machine, or a damaged one.
var ErrPack = errors.New("not a whole packed machine")

// Unpacker reads a packed machine.
type Unpacker struct {
	Info PackInfo

	z   *zstd.Decoder
	sum *summing
	tar *tar.Reader
}

// summing hashes what is read of the archive: between Next and the end of an entry that is
// the entry's data without its holes.
type summing struct {
	r io.Reader
	h hash.Hash
}

func (s *summing) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.h.Write(b[:n])
	return n, err
}

// OpenPack reads the beginning of a packed machine. Anything else is ErrPack. Close it.
func OpenPack(r io.Reader) (*Unpacker, error) {
	z, err := zstd.NewReader(r)
	if err != nil {
		return nil, err
	}
	u := &Unpacker{z: z, sum: &summing{z, sha256.New()}}
	u.tar = tar.NewReader(u.sum)
	h, err := u.tar.Next()
	if err == nil && h.Name != packInfoFile {
		err = fmt.Errorf("it begins with %q", h.Name)
	}
	if err == nil {
		err = json.NewDecoder(u.tar).Decode(&u.Info)
	}
	if err == nil && u.Info.Format != packFormat {
		err = fmt.Errorf("format %d, and this vmctl knows format %d", u.Info.Format, packFormat)
	}
	if err != nil {
		z.Close()
		return nil, fmt.Errorf("%w: %w", ErrPack, err)
	}
	return u, nil
}

// Close lets go of what the reading took.
func (u *Unpacker) Close() { u.z.Close() }

// Into unpacks into the directory of a machine that is being made (see Create), or with nil
// only checks. What does not fit its checksum, or is cut off, is ErrPack; no room for it is
// ErrNoSpace before anything is written.
func (u *Unpacker) Into(ctx context.Context, d *Dir, progress CopyProgress) error {
	var root *os.Root
	if d != nil {
		c := &treeCopy{total: u.Info.Bytes}
		if err := c.checkSpace(d.path); err != nil {
			return err
		}
		var err error
		if root, err = os.OpenRoot(d.path); err != nil {
			return err
		}
		defer root.Close()
	}
	in := &unpacking{ctx: ctx, root: root, total: u.Info.Bytes, progress: progress}
	for {
		h, err := u.tar.Next()
		if err == io.EOF {
			return hint.With(fmt.Errorf("%w: it is cut off", ErrPack), "fetch it anew from where it was made")
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrPack, err)
		}
		if h.Name == manifestFile {
			if err := in.check(u.tar); err != nil {
				return err
			}
			return u.drain()
		}
		u.sum.h.Reset()
		if err := in.entry(h, u.tar); err != nil {
			return err
		}
		in.seen[len(in.seen)-1].SHA256 = hex.EncodeToString(u.sum.h.Sum(nil))
	}
}

// drain reads to the end, where the compression has a checksum of all: also of the headers
// and of where the holes are.
func (u *Unpacker) drain() error {
	if _, err := io.Copy(io.Discard, u.z); err != nil {
		return fmt.Errorf("%w: %w", ErrPack, err)
	}
	return nil
}

// unpacking is one Into.
type unpacking struct {
	ctx      context.Context
	root     *os.Root // nil: nothing is written
	seen     []packedFile
	done     int64
	total    int64
	progress CopyProgress
}

// check compares what was read with the manifest.
func (in *unpacking) check(r io.Reader) error {
	var files []packedFile
	if err := json.NewDecoder(r).Decode(&files); err != nil {
		return fmt.Errorf("%w: its manifest: %w", ErrPack, err)
	}
	for i := range files {
		files[i].Data = 0 // of no use here
	}
	if !slices.Equal(files, in.seen) {
		for i, f := range in.seen {
			if i >= len(files) || files[i] != f {
				return fmt.Errorf("%w: %s does not fit its checksum", ErrPack, f.Path)
			}
		}
		return fmt.Errorf("%w: files are missing", ErrPack)
	}
	return nil
}

// entry unpacks one file.
func (in *unpacking) entry(h *tar.Header, r io.Reader) error {
	if !packable(h) {
		return fmt.Errorf("%w: it holds %q, which is no file of a machine", ErrPack, h.Name)
	}
	in.seen = append(in.seen, packedFile{Path: h.Name, Size: h.Size})
	if in.root == nil {
		return in.copy(nil, r)
	}
	if err := in.root.MkdirAll(filepath.Dir(h.Name), 0o700); err != nil {
		return err
	}
	f, err := in.root.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, fs.FileMode(h.Mode).Perm()|0o600)
	if err != nil {
		return err
	}
	err = in.copy(f, r)
	if err == nil {
		err = f.Truncate(h.Size)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// packable tells whether an entry may be in a packed machine: whoever made it.
func packable(h *tar.Header) bool {
	top, _, below := strings.Cut(h.Name, "/")
	switch {
	case h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || path.Clean(h.Name) != h.Name:
		return false
	case !below:
		return h.Name == RecipeFile || h.Name == StateFile
	}
	return slices.Contains(stateFolders(), top)
}

// copy writes what is not zero, so that holes come to be holes again.
func (in *unpacking) copy(f *os.File, r io.Reader) error {
	block, zeros := make([]byte, leastHole), make([]byte, leastHole)
	for at := int64(0); ; {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, block)
		if data := block[:n]; !bytes.Equal(data, zeros[:n]) {
			if f != nil {
				if _, err := f.WriteAt(data, at); err != nil {
					return err
				}
			}
			in.done += int64(n)
			in.progress.report(in.done, max(in.total, in.done))
		}
		at += int64(n)
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", ErrPack, err)
		}
	}
}
