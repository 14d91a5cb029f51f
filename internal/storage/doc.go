// Package storage keeps what outlives a machine's container: one directory a
// machine, plain files, no database.
//
//	$XDG_DATA_HOME/vmctl/machines/     Store
//	    win11/                         Dir; it is a machine because recipe.toml is there
//	        recipe.toml                the recipe, frozen at creation
//	        machine.json               what the launcher remembers: uid, ports, times
//	        lock                       flock of the command that is changing the machine
//	        storage/                   /storage in the container: the guest's disk
//	            data.img  windows.boot  windows.base  windows.mac ...
//	        disks/NAME/                a further disk: /storage2 in the container
//	        logs/                      the sandbox's log directory
//	        snapshots/TAG/             a copy of storage/, disks/, recipe.toml and machine.json
//	        restore.json               while a snapshot takes the machine's place
//	    .creating-NAME-1234/           a machine being made; swept when its maker died
//	    .lock                          held for the moment in which names are taken
//
// A machine is made complete under a hidden name and renamed, so nobody sees half of
// one, and a maker that was killed leaves nothing:
//
//	store := storage.NewStore(filepath.Join(xdg.DataHome, "vmctl", "machines"))
//	dir, err := store.Create("win11", func(d *storage.Dir) error {
//		return d.WriteRecipe(recipe)
//	})
//	unlock, err := dir.Lock(ctx)
//	defer unlock()
//	disk, err := dir.Disk(storage.Patterns{})
//	if disk.Present() && !disk.HasMarker { ... the image would delete this disk ... }
//
// A machine can be deleted and its storage kept: then storage/, disks/, snapshots/ and machine.json
// stay without recipe.toml, and the next machine of that name takes them over (Store.Kept).
//
// A snapshot, too, is made under a hidden name and renamed. A restore builds the new state
// aside, writes down what is to be moved where, and moves; after a crash Dir.Recover, which
// belongs after each Lock, goes on with the moves. So the state is all of the old or all of
// the new one. Copies share blocks where the file system can (FICLONE), and leave holes
// out where not.
//
// Removing takes away only files whose names are known to be ours or the images';
// what the user put beside them stays and is named. Symbolic links are removed, never
// followed.
//
// The package does not know recipes or runtimes, does not decide whether a machine
// may be started or deleted, and takes no lock by itself: the caller holds one around
// whatever must not be mixed with another command.
package storage
