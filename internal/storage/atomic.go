package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// tempPattern is how a file is called while it is being written.
const tempPattern = ".writing-*"

// writeFile replaces path by data, with mode 0600, as Replace does.
func writeFile(path string, data []byte) error { return Replace(path, data, nil) }

// Replace writes a file so that a reader, also one after a crash, finds all of the old
// or all of the new content: temporary file, fsync, rename, fsync of the directory. The
// file gets the mode and the owner of like; without it, the mode is 0600. A symbolic link
// at path is replaced, not followed.
func Replace(path string, data []byte, like fs.FileInfo) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPattern)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, resemble(f, like), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// resemble gives a file the mode and the owner of another one.
func resemble(f *os.File, like fs.FileInfo) error {
	if like == nil {
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	is, _ := now.Sys().(*syscall.Stat_t)
	if was, ok := like.Sys().(*syscall.Stat_t); ok && (was.Uid != is.Uid || was.Gid != is.Gid) {
		if err := f.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("keep the file's owner: %w", err)
		}
	}
	return f.Chmod(like.Mode().Perm())
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
