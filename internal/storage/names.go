package storage

import (
	"fmt"
	"regexp"
)

// Names in a machine's directory. Everything else found there is the user's and
// is never removed.
const (
	// RecipeFile is the recipe the machine was made from, frozen. A directory is a
	// machine when, and only when, it holds this file: it is the last thing that
	// Create puts there and the last that Remove takes away.
	RecipeFile = "recipe.toml"
	// StateFile is what the launcher remembers of the machine: its uid, times,
	// chosen ports and last intent.
	StateFile = "machine.json"
	// LockFile is held (flock) by the command that is changing the machine, and
	// holds that command's process id as text.
	LockFile = "lock"
	// StorageDir is the guest's durable state, seen as /storage in the container.
	StorageDir = "storage"
	// DisksDir holds the further disks, a folder each, seen as /storage2 to /storage6 in
	// the container. The image names the file in it (data2.img).
	DisksDir = "disks"
	// LogsDir is the log directory of the machine's sandbox: the runtime writes
	// container logs there.
	LogsDir = "logs"
	// SnapshotsDir holds snapshots, one folder each, named by its tag.
	SnapshotsDir = "snapshots"
	// EphemeralDir holds the copies of StorageDir and DisksDir that an ephemeral run has in
	// their place. It goes with the run.
	EphemeralDir = "ephemeral"
	// RestoreFile is there while a snapshot takes the place of the machine's state: it
	// says what is to be moved where, so that whoever comes after a crash can finish it.
	RestoreFile = "restore.json"
)

// Names in SnapshotsDir. A snapshot TAG is a folder with RecipeFile and StateFile as they
// were, copies of StorageDir and DisksDir, and SnapshotFile.
const (
	// SnapshotFile tells when and why the snapshot was taken, and how large it is.
	SnapshotFile = "snapshot.json"
	// makingPattern is how a snapshot is called until it is complete.
	makingPattern = ".making-*"
	// restoringPattern holds the state that a restore puts into the machine.
	restoringPattern = ".restoring-*"
	// deletingPattern is how a snapshot is called while it is removed.
	deletingPattern = ".deleting-*"
)

// Names in the storage directory, written by the images. Sources: dockur/windows
// src/install.sh and src/power.sh, dockur/macos src/install.sh, qemus/qemu
// src/disk.sh and src/install.sh. dockur/windows keeps them in /storage itself,
// dockur/macos and qemus/qemu mostly in /storage/NAME.
const (
	// RawDisk is the first data disk in raw format, the default of all images.
	RawDisk = "data.img"
	// QcowDisk is the same disk when DISK_FMT=qcow2.
	QcowDisk = "data.qcow2"
	// WindowsMarker says that Windows was installed to the end. Without it the
	// image deletes the disk at the next start and installs anew (dockur/windows
	// src/install.sh needsInstall, startInstall).
	WindowsMarker = "windows.boot"
	// MarkerPattern matches the same marker of any image (PREFIX.boot).
	MarkerPattern = "*.boot"
	// BackupsDir is where the Windows image moves an installation whose VERSION,
	// LANGUAGE or media changed, one folder each (dockur/windows src/install.sh).
	BackupsDir = "backups"
	// TempDir is scratch space of an installation.
	TempDir = "tmp"
)

// Names of ours in a folder with disks. The images' own clean-up does not know them
// (dockur/windows src/install.sh cleanupStorage: data.*, windows.*, *.rom, *.vars).
const (
	// ClaimFile says for whose container the folder is: see Claim.
	ClaimFile = ".vmctl-claim"
	// claimWriting is behind its name while it is written.
	claimWriting = ".writing"
)

// MaxName is the length of the longest machine name. It leaves room for the uid in
// a host name, which Linux limits to 64 bytes.
const MaxName = 40

var validName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// ValidName reports, as ErrInvalidName, why name cannot name a machine: it must be
// at most MaxName lower-case letters, digits and inner hyphens, as in a host name.
func ValidName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: empty", ErrInvalidName)
	case len(name) > MaxName:
		return fmt.Errorf("%w: %q is longer than %d characters", ErrInvalidName, name, MaxName)
	case !validName.MatchString(name):
		return fmt.Errorf("%w: %q: use lower-case letters, digits and inner hyphens", ErrInvalidName, name)
	}
	return nil
}
