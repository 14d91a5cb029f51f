package storage

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// place is a folder of a machine's state: its slash-separated name below the machine's
// directory, and where it is.
type place struct{ rel, path string }

// Elsewhere returns the same machine with folders that are not in its directory: a path for
// StorageDir, or for DisksDir/NAME of a further disk. CopyState, Pack and MakeEphemeral read
// them there; their copies are where a machine's own would be.
func (d *Dir) Elsewhere(folders map[string]string) *Dir {
	return &Dir{name: d.name, path: d.path, elsewhere: folders}
}

// places are the folders that the machine's state is in.
func (d *Dir) places() ([]place, error) {
	out := placesIn(d.path)
	for _, rel := range slices.Sorted(maps.Keys(d.elsewhere)) {
		path := d.elsewhere[rel]
		if _, err := os.Stat(path); err != nil { // a disk that is not mounted is no empty one
			return nil, err
		}
		if rel == StorageDir {
			out[0].path = path
		} else {
			out = append(out, place{rel, path})
		}
	}
	return out, nil
}

// placesIn are the folders of state in a folder that has them all.
func placesIn(folder string) []place {
	return []place{{StorageDir, filepath.Join(folder, StorageDir)}, {DisksDir, filepath.Join(folder, DisksDir)}}
}
