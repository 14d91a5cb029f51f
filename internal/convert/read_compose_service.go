package convert

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// at is a place in the chosen service.
func (c *composeFile) at(field string) string { return "services." + c.service.Name + "." + field }

func (c *composeFile) workload() Workload {
	s := c.service
	w := Workload{
		Name:         cmp.Or(s.ContainerName, s.Name),
		Image:        s.Image,
		Origin:       fmt.Sprintf("%s, service %s", filepath.Base(c.name), s.Name),
		Env:          c.environment(),
		Ports:        c.ports(),
		Mounts:       c.mounts(),
		Devices:      c.devices(),
		Sysctls:      s.Sysctls,
		Capabilities: capabilities(s.CapAdd),
		Privileged:   s.Privileged,
		Restart:      c.restart(),
	}
	if s.StopGracePeriod != nil {
		w.StopGrace = time.Duration(*s.StopGracePeriod)
	}
	if s.Runtime != "" && s.Runtime != "runc" {
		w.RuntimeHandler = s.Runtime
		c.notes.add(c.at("runtime"), "Docker's runtime %q is taken for a CRI runtime handler; the container runtime must have one of that name", s.Runtime)
	}
	w.LAN = c.network()
	c.extras()
	return w
}

// capabilities are names without CAP_, in capitals.
func capabilities(names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, strings.TrimPrefix(strings.ToUpper(n), "CAP_"))
	}
	return out
}

// environment is the service's, in the order of the file. A password that the file
// leaves to a variable is left to it, and so is what must be set and is not.
func (c *composeFile) environment() []EnvVar {
	written, order := c.writtenEnv()
	position := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	var names []string
	for name := range c.service.Environment {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(position(a)-position(b), strings.Compare(a, b)) })
	var out []EnvVar
	for _, name := range names {
		value := c.service.Environment[name]
		e := EnvVar{Name: name}
		variable := variableOf(written[name])
		_, required := c.required[variable]
		switch {
		case variable != "" && (isSecretName(name) || required):
			delete(c.required, variable)
			e.Fetch = &Fetch{Env: variable}
			e.Secret = "variable " + e.Fetch.Env
			c.notes.add(c.at("environment."+name), "left to the variable %s, which must be in the environment of vmctl up", e.Fetch.Env)
		case value == nil:
			c.notes.add(c.at("environment."+name), "left out: it has no value here; set it in the recipe, or in the environment of the import")
			continue
		default:
			e.Value = *value
		}
		out = append(out, c.secretFile(e))
	}
	for _, name := range c.unset {
		if slices.ContainsFunc(out, func(e EnvVar) bool { return e.Fetch != nil && e.Fetch.Env == name }) {
			continue // said already
		}
		c.notes.add(filepath.Base(c.name), "the variable %s is not set, and read as empty; set it in the environment of the import", name)
	}
	return out
}

// writtenEnv is the environment before variables were replaced, and its order.
func (c *composeFile) writtenEnv() (map[string]string, []string) {
	values := map[string]string{}
	var order []string
	n := resolved(nodeAt(c.root, "services", c.service.Name, "environment"))
	if n == nil {
		return values, nil
	}
	for i, item := range n.Content {
		name, value, _ := strings.Cut(item.Value, "=")
		if n.Kind == yaml.MappingNode {
			if i%2 == 1 {
				continue
			}
			name, value = item.Value, n.Content[i+1].Value
		}
		values[name] = value
		order = append(order, name)
	}
	return values, order
}

// secretsDir is where compose shows secrets in the container.
const secretsDir = "/run/secrets/"

// secretFile turns NAME_FILE=/run/secrets/x into the secret NAME: the images know no
// such variables, and a recipe reads the file itself.
func (c *composeFile) secretFile(e EnvVar) EnvVar {
	name, isFile := strings.CutSuffix(e.Name, "_FILE")
	id, isSecret := strings.CutPrefix(e.Value, secretsDir)
	if !isFile || !isSecret {
		return e
	}
	secret, ok := c.project.Secrets[id]
	switch {
	case ok && secret.File != "":
		return EnvVar{Name: name, Secret: "secret " + id, Fetch: &Fetch{File: secret.File}}
	case ok && secret.Environment != "":
		return EnvVar{Name: name, Secret: "secret " + id, Fetch: &Fetch{Env: secret.Environment}}
	}
	return EnvVar{Name: name, Secret: "secret " + id}
}

func isSecretName(name string) bool {
	return slices.Contains([]string{"PASSWORD", "PASS", "KEY"}, name)
}

func (c *composeFile) ports() []Port {
	var out []Port
	for _, p := range c.service.Ports {
		where := c.at(fmt.Sprintf("ports (%s:%d)", p.Published, p.Target))
		port := Port{Name: p.Name, Address: p.HostIP, Guest: int(p.Target), Protocol: cmp.Or(p.Protocol, "tcp")}
		first, last, isRange := strings.Cut(p.Published, "-")
		if first != "" {
			n, err := strconv.Atoi(first)
			if err != nil || n > 65535 {
				c.notes.add(where, "left out: %q is not a port of the host", p.Published)
				continue
			}
			port.Host = n
		}
		if isRange {
			port.From = true
			c.notes.add(where, "the first free port from %s up is taken, not only to %s", first, last)
		}
		out = append(out, port)
	}
	return out
}

func (c *composeFile) devices() []Device {
	var out []Device
	for _, d := range c.service.Devices {
		if isCDI(d.Source) {
			out = append(out, Device{CDI: d.Source})
			continue
		}
		device := Device{Path: d.Source}
		if d.Target != d.Source {
			device.Target = d.Target
		}
		if d.Permissions != "rwm" {
			device.Permissions = d.Permissions
		}
		out = append(out, device)
	}
	return out
}

// isCDI tells a device's name in the Container Device Interface, vendor/class=name
// (cncf-tags/container-device-interface SPEC.md), from a path.
func isCDI(source string) bool {
	kind, name, ok := strings.Cut(source, "=")
	return ok && name != "" && !strings.HasPrefix(kind, "/") && strings.Count(kind, "/") == 1
}

func (c *composeFile) restart() string {
	policy, _, _ := strings.Cut(c.service.Restart, ":")
	switch policy {
	case "always", "unless-stopped":
		c.notes.add(c.at("restart"), "Docker also starts it at boot; for that write lifecycle.autostart = true")
		return "always"
	case "on-failure":
		return "on-failure"
	case "no":
		return "no"
	}
	return ""
}
