package recipe

import (
	"fmt"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// document is a recipe as a TOML file has it.
type document struct {
	Name           string            `toml:"name,omitempty"`
	Summary        string            `toml:"summary,omitempty"`
	Image          string            `toml:"image"`
	Guest          Guest             `toml:"guest"`
	Security       Security          `toml:"security"`
	RuntimeHandler string            `toml:"runtime_handler,omitempty"`
	Resources      resourcesDocument `toml:"resources"`
	Storage        *storageDocument  `toml:"storage,omitempty"`
	Lifecycle      lifecycleDocument `toml:"lifecycle"`
	Env            map[string]string `toml:"env,omitempty"`
	Ports          []portDocument    `toml:"ports,omitempty"`
	Mounts         []mountDocument   `toml:"mounts,omitempty"`
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
	StopGrace string `toml:"stop_grace"`
	Ready     Ready  `toml:"ready"`
}

type portDocument struct {
	Name     string `toml:"name"`
	Guest    int    `toml:"guest"`
	Host     any    `toml:"host"`
	Protocol string `toml:"protocol"`
	Address  string `toml:"address"`
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
		Name: r.Name, Summary: r.Summary, Image: r.Image, Guest: r.Guest,
		Security: r.Security, RuntimeHandler: r.RuntimeHandler,
		Resources: resourcesDocument{r.Resources.CPUs.document(), r.Resources.Memory.String(), r.Resources.Disk.String()},
		Lifecycle: lifecycleDocument{seconds(r.Lifecycle.StopGrace), r.Lifecycle.Ready},
		Env:       r.Env,
	}
	if r.Storage.Path != "" {
		d.Storage = &storageDocument{r.Storage.Path}
	}
	for _, p := range r.Ports {
		d.Ports = append(d.Ports, portDocument{p.Name, p.Guest, p.Host.document(), p.Protocol, p.Address})
	}
	for _, m := range r.Mounts {
		d.Mounts = append(d.Mounts, mountDocument(m))
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
