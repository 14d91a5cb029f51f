package storage

import (
	"path/filepath"
	"strings"
)

// imageFiles are the names that the images give to what they put in a storage folder,
// also in /storage/NAME and in the folders of backups/. They follow the images' own
// clean-up lists (dockur/windows src/install.sh cleanupStorage, dockur/macos
// src/install.sh install). An ISO with another name is the user's.
func imageFiles() []string {
	return []string{
		"data.*", "data[2-6].*", // the disks, also while they are converted
		"windows.*", "macos.*", "macos_*", "qemu.*", "demo.*", // PREFIX.boot, .base, .mac, .ver ...
		"*.rom", "*.vars", "*.tpm", // firmware, its variables, TPM state
		"boot.*",                                                       // medium of qemus/qemu, OpenCore of dockur/macos
		"base.dmg",                                                     // macOS recovery
		"setup.img",                                                    // answer file disk
		"win*x64*.iso", "win*x86*.iso", "win*arm64*.iso", "win20*.iso", // win11x64.iso, win11x64_fr.iso, win2025-eval.iso
		"tiny1*.iso",   // tiny10, tiny11
		"core11*.iso",  //
		"reactos*.iso", //
		"*.iso.aria2",  // unfinished download
		"*.iso.tmp",    // unfinished conversion
	}
}

// ours reports whether the file at rel (slash-separated, below the machine's
// directory) was made by us or by an image.
func ours(rel string) bool {
	parts := strings.Split(rel, "/")
	if len(parts) == 1 {
		return ourFile(parts[0])
	}
	if ownedTree(parts) {
		return true
	}
	if parts[0] == DisksDir {
		return len(parts) == 3 && imageFile(parts[2])
	}
	if parts[0] != StorageDir {
		return false
	}
	name, folders := parts[len(parts)-1], parts[1:len(parts)-1]
	if len(folders) > 0 && folders[0] == BackupsDir {
		folders = folders[1:]
	}
	return len(folders) <= 1 && imageFile(name)
}

// ourFile knows the files directly in a machine's directory.
func ourFile(name string) bool {
	switch name {
	case RecipeFile, StateFile, LockFile, RestoreFile:
		return true
	}
	writing, _ := filepath.Match(tempPattern, name)
	return writing
}

// ownedTree reports whether everything at and below a path is ours.
func ownedTree(parts []string) bool {
	switch parts[0] {
	case LogsDir, SnapshotsDir, EphemeralDir:
		return true
	}
	return len(parts) > 1 && parts[0] == StorageDir && parts[1] == TempDir
}

func imageFile(name string) bool {
	if isClaim(name) {
		return true
	}
	for _, p := range imageFiles() {
		if ok, _ := filepath.Match(p, name); ok {
			return true
		}
	}
	return false
}
