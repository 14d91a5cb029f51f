package storage

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A packed machine is a tar archive, compressed by zstd, with these entries, in this order:
//
//	machine-pack.json            PackInfo
//	recipe.toml  machine.json    as in the machine's directory
//	storage/...  disks/...       files, those with holes in GNU tar's sparse format
//	manifest.json                the size and checksum of each file before it
//
// So `tar --zstd -xSf` unpacks it too, without the checks.
const (
	packInfoFile = "machine-pack.json"
	manifestFile = "manifest.json"
	packFormat   = 1
)

// PackInfo stands at the beginning of a packed machine.
type PackInfo struct {
	Format    int       `json:"format"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Bytes     int64     `json:"bytes"` // host bytes that its files take
}

// packedFile is a line of the manifest.
type packedFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"` // as the guest sees it
	Data int64  `json:"data"` // bytes without the holes
	// SHA256 is that of the data without the holes; of a file without any it is the
	// file's own.
	SHA256 string `json:"sha256"`
}

// packer writes one archive.
type packer struct {
	ctx      context.Context
	out      io.Writer // below the tar writer, above the compression
	tar      *tar.Writer
	dir      *Dir
	files    []packedFile
	done     int64
	total    int64
	progress CopyProgress
}

// Pack writes the machine, without its snapshots and logs, to w. The caller holds the lock
// and has made sure that nothing runs on the storage. What cannot be read is a *DeniedError
// before anything is written.
func (d *Dir) Pack(ctx context.Context, w io.Writer, now time.Time, progress CopyProgress) error {
	if err := d.pack(ctx, w, now, progress); err != nil {
		return fmt.Errorf("pack machine %q: %w", d.name, err)
	}
	return nil
}

func (d *Dir) pack(ctx context.Context, w io.Writer, now time.Time, progress CopyProgress) error {
	places, err := d.places()
	if err != nil {
		return err
	}
	sizes := &treeCopy{}
	if _, err := sizes.measure(d.name, places); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w)
	if err != nil {
		return err
	}
	p := &packer{ctx: ctx, out: z, tar: tar.NewWriter(z), dir: d, total: sizes.total, progress: progress}
	err = p.all(places, PackInfo{Format: packFormat, Name: d.name, CreatedAt: now.UTC(), Bytes: sizes.total})
	if err == nil {
		err = p.tar.Close()
	}
	closeErr := z.Close() // says the same again where writing has failed
	if err == nil {
		err = closeErr
	}
	return err
}

func (p *packer) all(places []place, info PackInfo) error {
	if err := p.json(packInfoFile, info); err != nil {
		return err
	}
	for _, name := range []string{RecipeFile, StateFile} {
		if err := p.file(name, filepath.Join(p.dir.path, name)); err != nil {
			return err
		}
	}
	for _, from := range places {
		err := walkFiles(from.path, func(file string, _ fs.FileInfo) error {
			rel, err := filepath.Rel(from.path, file)
			if err != nil {
				return err
			}
			return p.file(path.Join(from.rel, filepath.ToSlash(rel)), file)
		}, &[]string{})
		if err != nil {
			return err
		}
	}
	return p.json(manifestFile, p.files)
}

// json writes a small entry of our own.
func (p *packer) json(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := p.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err = p.tar.Write(data)
	return err
}

// file packs the file at path under a name.
func (p *packer) file(name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := dataOf(f, info.Size())
	if err != nil {
		return err
	}
	sum := sha256.New()
	line := packedFile{Path: name, Size: info.Size()}
	if hasHoles(data, info.Size()) {
		line.Data, err = p.sparse(line.Path, f, info, data, sum)
	} else {
		line.Data, err = p.plain(line.Path, f, info, sum)
	}
	line.SHA256 = hex.EncodeToString(sum.Sum(nil))
	p.files = append(p.files, line)
	return err
}

func (p *packer) plain(name string, f *os.File, info fs.FileInfo, sum io.Writer) (int64, error) {
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime().Truncate(time.Second), Typeflag: tar.TypeReg}
	if err := p.tar.WriteHeader(h); err != nil {
		return 0, err
	}
	return writeData(p.counting(io.MultiWriter(p.tar, sum)), f, []extent{{0, info.Size()}})
}

// sparse writes an entry past the tar writer, which cannot do it.
func (p *packer) sparse(name string, f *os.File, info fs.FileInfo, data []extent, sum io.Writer) (int64, error) {
	if err := p.tar.Flush(); err != nil {
		return 0, err
	}
	if _, err := p.out.Write(sparseHeader(name, info.Size(), data, int64(info.Mode().Perm()), info.ModTime())); err != nil {
		return 0, err
	}
	n, err := writeData(p.counting(io.MultiWriter(p.out, sum)), f, data)
	if err == nil {
		_, err = p.out.Write(padding(n))
	}
	return n, err
}

// counting tells the progress of what is written, and ends with the context.
func (p *packer) counting(w io.Writer) io.Writer {
	return writerFunc(func(b []byte) (int, error) {
		if err := p.ctx.Err(); err != nil {
			return 0, err
		}
		n, err := w.Write(b)
		p.done += int64(n)
		p.progress.report(p.done, max(p.total, p.done))
		return n, err
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
