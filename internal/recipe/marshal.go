package recipe

import (
	"fmt"
	"time"

	"github.com/pelletier/go-toml/v2"

	"vmctl/internal/portfwd"
)

// document is a recipe as a TOML file has it.
type document struct {
	Schema         int                       `toml:"schema"`
	Name           string                    `toml:"name,omitempty"`
	Summary        string                    `toml:"summary,omitempty"`
	Image          string                    `toml:"image"`
	Guest          Guest                     `toml:"guest"`
	Security       Security                  `toml:"security"`
	Network        Network                   `toml:"network"`
	RuntimeHandler string                    `toml:"runtime_handler,omitempty"`
	Resources      resourcesDocument         `toml:"resources"`
	Storage        *storageDocument          `toml:"storage,omitempty"`
	Lifecycle      lifecycleDocument         `toml:"lifecycle"`
	Viewer         viewerDocument            `toml:"viewer"`
	Env            map[string]string         `toml:"env,omitempty"`
	Secrets        map[string]secretDocument `toml:"secrets,omitempty"`
	Ports          []portDocument            `toml:"ports,omitempty"`
	Disks          []diskDocument            `toml:"disks,omitempty"`
	Mounts         []mountDocument           `toml:"mounts,omitempty"`
	Devices        []deviceDocument          `toml:"devices,omitempty"`
}

type viewerDocument struct {
	Display    Display `toml:"display"`
	Resolution string  `toml:"resolution,omitempty"`
	Protect    bool    `toml:"protect,omitempty"`
	Audio      bool    `toml:"audio,omitempty"`
	Peers      bool    `toml:"peers,omitempty"`
}

type secretDocument struct {
	File    string `toml:"file,omitempty"`
	Env     string `toml:"env,omitempty"`
	Command any    `toml:"command,omitempty"`
	Keyring string `toml:"keyring,omitempty"`
}

type diskDocument struct {
	Name   string `toml:"name"`
	Number int    `toml:"number"`
	Size   string `toml:"size,omitempty"`
	Path   string `toml:"path,omitempty"`
	Device string `toml:"device,omitempty"`
}

type deviceDocument struct {
	Path        string `toml:"path,omitempty"`
	Target      string `toml:"target,omitempty"`
	Permissions string `toml:"permissions,omitempty"`
	CDI         string `toml:"cdi,omitempty"`
	USB         string `toml:"usb,omitempty"`
}

type resourcesDocument struct {
	CPUs   any    `toml:"cpus"`
	Memory string `toml:"memory"`
	Disk   string `toml:"disk"`
}

type storageDocument struct {
	Path string `toml:"path"`
}

type lifecycleDocument struct {
	StopGrace string        `toml:"stop_grace"`
	Ready     Ready         `toml:"ready"`
	Restart   Restart       `toml:"restart"`
	Autostart bool          `toml:"autostart,omitempty"`
	Idle      *idleDocument `toml:"idle,omitempty"`
}

type idleDocument struct {
	After  string     `toml:"after"`
	Action IdleAction `toml:"action"`
}

type portDocument struct {
	Name     string `toml:"name"`
	Guest    int    `toml:"guest"`
	Host     any    `toml:"host"`
	Protocol string `toml:"protocol"`
	Address  string `toml:"address"`
	Via      string `toml:"via,omitempty"` // not said where it is auto
}

type mountDocument struct {
	Source   string `toml:"source"`
	Target   string `toml:"target"`
	ReadOnly bool   `toml:"read_only,omitempty"`
}

// Marshal writes the recipe as TOML with every default said: the copy that a
// machine keeps. Parse returns an equal recipe from it, but for Source.
func (r *Recipe) Marshal() ([]byte, error) {
	data, err := toml.Marshal(r.document())
	if err != nil {
		return nil, fmt.Errorf("write recipe: %w", err)
	}
	return data, nil
}

func (r *Recipe) document() document {
	d := document{
		Schema: SchemaVersion, Name: r.Name, Summary: r.Summary, Image: r.Image, Guest: r.Guest,
		Security: r.Security, Network: r.Network, RuntimeHandler: r.RuntimeHandler, Viewer: viewerDocument(r.Viewer),
		Resources: resourcesDocument{r.Resources.CPUs.document(), r.Resources.Memory.String(), r.Resources.Disk.String()},
		Lifecycle: r.Lifecycle.document(),
		Env:       r.Env,
	}
	if r.Storage.Path != "" {
		d.Storage = &storageDocument{r.Storage.Path}
	}
	for _, p := range r.Ports {
		port := portDocument{p.Name, p.Guest, p.Host.document(), p.Protocol, p.Address, ""}
		if p.Via != string(portfwd.Auto) {
			port.Via = p.Via
		}
		d.Ports = append(d.Ports, port)
	}
	for _, m := range r.Mounts {
		d.Mounts = append(d.Mounts, mountDocument(m))
	}
	for _, v := range r.Devices {
		d.Devices = append(d.Devices, deviceDocument(v))
	}
	for _, k := range r.Disks {
		d.Disks = append(d.Disks, k.document())
	}
	for name, s := range r.Secrets {
		if d.Secrets == nil {
			d.Secrets = map[string]secretDocument{}
		}
		d.Secrets[name] = s.document()
	}
	return d
}

func (k Disk) document() diskDocument {
	d := diskDocument{Name: k.Name, Number: k.Number, Path: k.Path, Device: k.Device}
	if !k.Size.IsZero() {
		d.Size = k.Size.String()
	}
	return d
}

func (s Secret) document() secretDocument {
	d := secretDocument{File: s.File, Env: s.Env, Keyring: s.Keyring}
	switch len(s.Command) {
	case 0:
	case 1:
		d.Command = s.Command[0]
	default:
		d.Command = s.Command
	}
	return d
}

func (l Lifecycle) document() lifecycleDocument {
	d := lifecycleDocument{StopGrace: seconds(l.StopGrace), Ready: l.Ready, Restart: l.Restart, Autostart: l.Autostart}
	if l.Idle.After > 0 {
		d.Idle = &idleDocument{l.Idle.After.String(), l.Idle.Action}
	}
	return d
}

func (c CPUs) document() any {
	if c.Word != "" {
		return c.Word
	}
	return c.Count
}

func (h HostPort) document() any {
	if h.Mode == HostPortExact {
		return h.Number
	}
	return h.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
