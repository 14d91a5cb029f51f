package convert

import (
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// storageMount is where all images keep the guest's state.
const storageMount = "/storage"

func (c *composeFile) mounts() []Mount {
	var out []Mount
	for _, v := range c.service.Volumes {
		where := c.at(fmt.Sprintf("volumes (%s)", v.Target))
		if v.Bind != nil && v.Bind.SELinux != "" {
			c.notes.add(where, "the SELinux label :%s is not set; label the folder yourself where SELinux is on", v.Bind.SELinux)
		}
		if v.Volume != nil && v.Volume.Subpath != "" {
			c.notes.add(where, "the part %q of the volume is not carried over", v.Volume.Subpath)
		}
		switch v.Type {
		case types.VolumeTypeBind:
			out = append(out, Mount{Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly})
			if v.Target == storageMount {
				c.notes.add(where, "the machine takes over the disk in %s: end the container first (docker compose down), as two that run on one disk destroy it", v.Source)
			}
		case types.VolumeTypeVolume:
			out = append(out, c.volume(v, where))
		case types.VolumeTypeTmpfs:
			c.notes.add(where, "not carried over: pods of this kind have no memory file systems, and the images need none")
		default:
			c.notes.add(where, "not carried over: a volume of the type %q", v.Type)
		}
	}
	return out
}

// volume is a volume of Docker's, which the pod cannot see. One that is only a name
// for a folder of the host is a bind.
func (c *composeFile) volume(v types.ServiceVolumeConfig, where string) Mount {
	m := Mount{Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly, Volume: true}
	config, ok := c.project.Volumes[v.Source]
	if !ok {
		if v.Source == "" {
			c.notes.add(where, "an anonymous volume: what is in it is not carried over")
		}
		return m
	}
	if device := config.DriverOpts["device"]; config.DriverOpts["o"] == "bind" && strings.HasPrefix(device, "/") {
		m.Source, m.Volume = device, false
		return m
	}
	if config.Name != "" {
		m.Source = config.Name
	}
	c.notes.add(where, "what is in the volume %q is not carried over: end the container, copy it with sudo cp -a --sparse=always \"$(docker volume inspect -f '{{.Mountpoint}}' %s)/.\" DIR, and write %s", m.Source, m.Source, keyFor(v.Target))
	return m
}

// keyFor is what a recipe says to have a directory DIR at a target.
func keyFor(target string) string {
	if target == storageMount {
		return `storage.path = "DIR"`
	}
	if n, ok := diskNumber(target, storageMount); ok {
		return fmt.Sprintf(`path = "DIR" for disk%d in [[disks]]`, n)
	}
	return fmt.Sprintf(`[[mounts]] source = "DIR", target = %q`, target)
}
