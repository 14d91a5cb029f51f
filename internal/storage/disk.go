package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Patterns says which files of a storage folder are data disks and which are the
// marker of a finished installation: names or globs as in path.Match, without
// folders. An empty list means the default: RawDisk and QcowDisk; MarkerPattern.
type Patterns struct {
	Disks   []string
	Markers []string
}

// DiskFile is one data disk.
type DiskFile struct {
	Path      string // absolute if the storage folder was
	Size      int64  // bytes the guest sees in a raw disk
	Allocated int64  // bytes it takes on the host: small when the guest wrote little
	Marked    bool   // an installed-marker lies beside it
}

// Disk is what a storage folder holds.
type Disk struct {
	Files []DiskFile
	// HasMarker says that there are disks and each has a marker beside it. Only the
	// Windows image (and the demo) writes markers: for others it is always false.
	HasMarker bool
}

// Present reports whether there is any data disk.
func (k Disk) Present() bool { return len(k.Files) > 0 }

// Allocated returns the host bytes that all disks take together.
func (k Disk) Allocated() int64 {
	var n int64
	for _, f := range k.Files {
		n += f.Allocated
	}
	return n
}

// Disk looks at the machine's own storage folder, see InspectDisk.
func (d *Dir) Disk(p Patterns) (Disk, error) { return InspectDisk(d.StoragePath(), p) }

// InspectDisk looks for data disks in a storage folder and in its direct subfolders,
// where qemus/qemu and dockur/macos keep them; not in BackupsDir and TempDir. A folder
// that is not there holds no disk; one that cannot be read is an error, because "no
// disk" would be a dangerous guess.
func InspectDisk(storagePath string, p Patterns) (Disk, error) {
	disk, err := inspectFolder(storagePath, p)
	if errors.Is(err, fs.ErrNotExist) {
		return Disk{}, nil
	}
	if err != nil {
		return Disk{}, fmt.Errorf("look for disks in %q: %w", storagePath, err)
	}
	entries, err := os.ReadDir(storagePath)
	if err != nil {
		return Disk{}, fmt.Errorf("look for disks in %q: %w", storagePath, err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == BackupsDir || e.Name() == TempDir {
			continue
		}
		sub, err := inspectFolder(filepath.Join(storagePath, e.Name()), p)
		if err != nil {
			return Disk{}, fmt.Errorf("look for disks in %q: %w", storagePath, err)
		}
		disk.Files = append(disk.Files, sub.Files...)
	}
	disk.HasMarker = len(disk.Files) > 0
	for _, f := range disk.Files {
		disk.HasMarker = disk.HasMarker && f.Marked
	}
	return disk, nil
}

func inspectFolder(folder string, p Patterns) (Disk, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return Disk{}, err
	}
	var disk Disk
	marked := false
	for _, e := range entries {
		isDisk, err := matchAny(p.Disks, e.Name(), RawDisk, QcowDisk)
		if err != nil {
			return Disk{}, err
		}
		isMarker, err := matchAny(p.Markers, e.Name(), MarkerPattern)
		if err != nil {
			return Disk{}, err
		}
		info, err := os.Stat(filepath.Join(folder, e.Name()))
		if err != nil || !info.Mode().IsRegular() {
			continue // gone meanwhile, dangling, or a folder
		}
		marked = marked || isMarker
		if isDisk {
			disk.Files = append(disk.Files, DiskFile{
				Path: filepath.Join(folder, e.Name()), Size: info.Size(), Allocated: allocated(info),
			})
		}
	}
	for i := range disk.Files {
		disk.Files[i].Marked = marked
	}
	return disk, nil
}

func matchAny(patterns []string, name string, otherwise ...string) (bool, error) {
	if len(patterns) == 0 {
		patterns = otherwise
	}
	for _, p := range patterns {
		ok, err := filepath.Match(p, name)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// allocated returns the bytes a file takes: st_blocks counts 512-byte units whatever
// the file system's block size (stat(2)).
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
}
