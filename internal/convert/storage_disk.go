package convert

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"vmctl/internal/recipe"
)

// qcowMagic begins a qcow2 file; the size that the guest sees is at byte 24
// (QEMU docs/interop/qcow2.txt).
const qcowMagic = "QFI\xfb"

// diskSize is the size that the guest sees, in bytes.
func diskSize(file string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	var head [32]byte
	if _, err := io.ReadFull(f, head[:]); err == nil && string(head[:4]) == qcowMagic {
		size = int64(min(binary.BigEndian.Uint64(head[24:]), maxDisk+1))
	}
	switch {
	case size > maxDisk:
		return 0, &InputError{File: file, Text: "says that it is larger than any disk; it is damaged"}
	case size < recipe.MiB:
		return 0, &InputError{File: file, Text: fmt.Sprintf("has %d bytes: no disk of a machine", size)}
	}
	return size, nil
}

// maxDisk is more than a recipe takes.
const maxDisk = 1 << 50

// checkUse warns of a disk on which a machine runs. QEMU locks the images that it
// opens (QEMU docs/system, "Disk image file locking"), and the kernel tells others
// of it, also from within a container.
func (a *adoption) checkUse() {
	f, err := os.Open(a.disk)
	if err != nil {
		return // diskSize has read it
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK {
		a.notes.add(a.folder, "WARNING: a machine runs on %s now. Shut it down and end its container before the first start; two that run on one disk destroy it", a.disk)
	}
}
