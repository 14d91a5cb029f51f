package recipe

import (
	"fmt"
	"path"
	"slices"
	"strconv"
)

// Disk is a further disk of the guest, beside the first one of Resources.Disk.
type Disk struct {
	Name string // unique in the recipe, as a machine's name
	// Number is the image's: DISK2_SIZE and /storage2 for 2. It stays with the disk,
	// because the image's file bears it (data2.img).
	Number int
	Size   Size   // of a disk that the image makes and keeps in Path
	Path   string // absolute; "" is in the machine's own directory
	Device string // a whole block device of the host, in place of Size and Path
}

// The further disks that the images know (qemus/qemu src/disk.sh).
const (
	firstDisk = 2
	lastDisk  = 6
)

// Target is where the disk's directory is mounted in the container.
func (k Disk) Target() string { return storageTarget + strconv.Itoa(k.Number) }

func (k Disk) environment() EnvVar {
	if k.Device != "" {
		return EnvVar{fmt.Sprintf("DEVICE%d", k.Number), k.Device}
	}
	return EnvVar{fmt.Sprintf("DISK%d_SIZE", k.Number), k.Size.String()}
}

// numberDisks gives the disks without a number the free ones, in their order.
func numberDisks(disks []Disk) {
	taken := func(n int) bool { return slices.ContainsFunc(disks, func(k Disk) bool { return k.Number == n }) }
	for i := range disks {
		for n := firstDisk; disks[i].Number == 0 && n <= lastDisk; n++ {
			if !taken(n) {
				disks[i].Number = n
			}
		}
	}
}

func (d *reader) checkDisks(r *Recipe) {
	for i, k := range r.Disks {
		at := fmt.Sprintf("disks[%d]", i)
		switch {
		case k.Name == "":
			d.report(at+".name", "missing; write what the disk is for, such as %q", "data")
		case !portLabel.MatchString(k.Name):
			d.report(at+".name", "must be lower-case letters, digits and inner hyphens, not %q", k.Name)
		case k.Number == 0:
			d.report(at, "one too many: the images know disks %d to %d", firstDisk, lastDisk)
		}
		d.checkDiskKind(at, k)
		for j, other := range r.Disks[:i] {
			d.checkDiskPair(at, k, fmt.Sprintf("disks[%d]", j), other)
		}
		for _, name := range []string{fmt.Sprintf("DISK%d_SIZE", k.Number), fmt.Sprintf("DEVICE%d", k.Number)} {
			if _, ok := r.Env[name]; ok {
				d.report("env."+name, "set twice; remove it: %s (%s) has the say", at, k.Name)
			}
		}
		for j, m := range r.Mounts {
			if path.Clean(m.Target) == k.Target() {
				d.report(fmt.Sprintf("mounts[%d].target", j), "%s is where %s (%s) is; write its path key instead", k.Target(), at, k.Name)
			}
		}
	}
}

func (d *reader) checkDiskKind(at string, k Disk) {
	switch {
	case k.Device != "" && (!k.Size.IsZero() || k.Path != ""):
		d.report(at+".device", "a whole device has neither size nor path; remove them")
	case k.Device == "" && k.Size.IsZero():
		d.report(at+".size", `missing; write a size such as "100G", or a device`)
	case k.Device != "" && !underDev(k.Device):
		d.report(at+".device", "must be a path below /dev, not %q", k.Device)
	}
}

func (d *reader) checkDiskPair(at string, k Disk, other string, q Disk) {
	switch {
	case k.Name != "" && k.Name == q.Name:
		d.report(at+".name", "%q is already the name of %s", k.Name, other)
	case k.Number != 0 && k.Number == q.Number:
		d.report(at+".number", "%d is already the number of %s (%s)", k.Number, other, q.Name)
	case k.Device != "" && k.Device == q.Device:
		d.report(at+".device", "%s is already the device of %s (%s)", k.Device, other, q.Name)
	case k.Path != "" && k.Path == q.Path:
		d.report(at+".path", "%s is already the path of %s (%s)", k.Path, other, q.Name)
	}
}
