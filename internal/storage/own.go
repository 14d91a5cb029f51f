package storage

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Own gives all that is in a folder to the owner of the folder. It needs root. Other file
// systems that are mounted in it, and files with names elsewhere too, are left as they are;
// no link is followed.
func Own(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	top, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return fmt.Errorf("%s is no folder", folder)
	}
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		file, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case !ok, file.Dev != top.Dev && info.IsDir():
			return fs.SkipDir
		case file.Uid == top.Uid && file.Gid == top.Gid, file.Dev != top.Dev, !info.IsDir() && file.Nlink > 1:
			return nil
		}
		return os.Lchown(path, int(top.Uid), int(top.Gid))
	})
}
