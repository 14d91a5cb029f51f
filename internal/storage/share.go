package storage

import (
	"os"

	"golang.org/x/sys/unix"
)

// noCOW is FS_NOCOW_FL of ioctl_iflags(2): on btrfs the images ask for it on their disks
// (qemus/qemu src/disk.sh), and only a file with the same flag can share blocks with one.
const noCOW = 0x00800000

// share makes the empty file dst share the blocks of src, where the file system can
// (btrfs, xfs, bcachefs: ioctl_ficlone(2)).
func share(dst, src *os.File) bool {
	if flags, err := unix.IoctlGetUint32(int(src.Fd()), unix.FS_IOC_GETFLAGS); err == nil && flags&noCOW != 0 {
		if mine, err := unix.IoctlGetUint32(int(dst.Fd()), unix.FS_IOC_GETFLAGS); err == nil {
			_ = unix.IoctlSetPointerInt(int(dst.Fd()), unix.FS_IOC_SETFLAGS, int(mine|noCOW)) // a refusal shows below
		}
	}
	return unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())) == nil
}

// canShare tries with a file whether copies of it in a folder can share its blocks.
func canShare(file, folder string) bool {
	src, err := os.Open(file)
	if err != nil {
		return false
	}
	defer src.Close()
	dst, err := os.CreateTemp(folder, tempPattern)
	if err != nil {
		return false
	}
	defer os.Remove(dst.Name())
	defer dst.Close()
	return share(dst, src)
}
