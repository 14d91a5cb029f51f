package machine

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

// plan is everything that decides a machine's pod and container. The translation
// from it is pure: the same plan gives the same configs.
type plan struct {
	name     string
	uid      string
	attempt  uint32
	recipe   *recipe.Recipe
	forwards []portfwd.Forward
	storage  string // absolute host path
	logs     string // absolute host path
	source   string // where the recipe came from
	cgroup   string // of the runtime's driver; may be empty
	dns      *cri.DNSConfig
	devices  []string // of /dev/kvm and /dev/net/tun, those that are there
	extra    passthrough
	disks    []string     // host paths of the further disks
	secrets  []cri.EnvVar // environment that the recipe does not hold
}

// The devices a guest needs: hardware virtualisation, and a tap for NAT.
const (
	deviceKVM = "/dev/kvm"
	deviceTun = "/dev/net/tun"
)

// storageTarget is where every image keeps the guest's state (VOLUME in the
// Dockerfiles of dockur/windows, dockur/macos and qemus/qemu).
const storageTarget = "/storage"

// sandboxConfig translates to the pod.
//
// Both pod and container ask for a PID namespace of the container's own: CRI-O
// refuses a pair that differs, and the images expect to be their own PID 1.
func (p plan) sandboxConfig() cri.SandboxConfig {
	s := cri.SandboxConfig{
		Name:         p.name,
		Namespace:    sandboxNamespace,
		UID:          p.uid,
		Attempt:      p.attempt,
		Hostname:     hostname(p.name, p.uid),
		LogDirectory: p.logs,
		DNS:          p.dns,
		PortMappings: portMappings(p.forwards),
		Labels:       p.labels(),
		Annotations:  p.annotations(),
		CgroupParent: p.cgroup,
		Privileged:   p.recipe.Security != recipe.SecurityMinimal,
		PIDNamespace: cri.NamespaceContainer,
	}
	if p.recipe.Security == recipe.SecurityMinimal {
		s.Sysctls = map[string]string{"net.ipv4.ip_forward": "1"}
	}
	return s
}

// containerConfig translates to the container. The devices are listed although a
// privileged container sees them all: a runtime handler may be set to
// privileged_without_host_devices.
func (p plan) containerConfig(image string) cri.ContainerConfig {
	c := cri.ContainerConfig{
		Name:         containerName,
		Attempt:      p.attempt,
		Image:        image,
		Mounts:       []cri.Mount{{HostPath: p.storage, ContainerPath: storageTarget}},
		Labels:       p.labels(),
		LogPath:      logName,
		Privileged:   p.recipe.Security != recipe.SecurityMinimal,
		PIDNamespace: cri.NamespaceContainer,
	}
	for _, e := range p.recipe.Environment() {
		c.Env = append(c.Env, cri.EnvVar{Name: e.Name, Value: e.Value})
	}
	for _, mount := range p.recipe.Mounts {
		c.Mounts = append(c.Mounts, cri.Mount{HostPath: mount.Source, ContainerPath: mount.Target, ReadOnly: mount.ReadOnly})
	}
	for _, d := range p.devices {
		c.Devices = append(c.Devices, cri.Device{HostPath: d, ContainerPath: d, Permissions: "rwm"})
	}
	c.Env = append(c.Env, p.secrets...)
	c.Mounts = append(c.Mounts, p.extra.mounts...)
	c.Devices = append(c.Devices, p.extra.devices...)
	c.CDIDevices = p.extra.cdi
	if !c.Privileged {
		c.Capabilities = []string{"NET_ADMIN"}
		c.Seccomp = cri.SeccompRuntimeDefault
	}
	return c
}

func (p plan) labels() map[string]string {
	return map[string]string{LabelMachine: p.name, LabelUID: p.uid}
}

func (p plan) annotations() map[string]string {
	out := map[string]string{
		annotationRecipe:  p.source,
		annotationHash:    p.recipe.Hash(),
		annotationStorage: p.storage,
		annotationPorts:   encodePorts(p.forwards),
		annotationGrace:   strconv.Itoa(int(grace(p.recipe).Seconds())),
	}
	if len(p.disks) > 0 {
		out[annotationDisks] = strings.Join(p.disks, "\n")
	}
	return out
}

// grace is how long the guest may take to shut down before it is killed.
func grace(r *recipe.Recipe) time.Duration { return r.Lifecycle.StopGrace }

// maxHostname is what Linux allows (runc: sethostname EINVAL above 64 bytes), less
// one as DNS labels end at 63.
const maxHostname = 63

// hostname is unique for each machine, because the images make the guest's MAC
// address from the short host name and save it (qemus/qemu src/network.sh).
func hostname(name, uid string) string {
	suffix := "-" + uid[:min(8, len(uid))]
	return strings.TrimRight(name[:min(len(name), maxHostname-len(suffix))], "-") + suffix
}

func portMappings(forwards []portfwd.Forward) []cri.PortMapping {
	var out []cri.PortMapping
	for _, f := range forwards {
		if f.Via.Ours() {
			continue
		}
		m := cri.PortMapping{ContainerPort: f.GuestPort, HostPort: f.HostPort, HostIP: f.Address.String()}
		if f.Protocol == portfwd.UDP {
			m.Protocol = cri.UDP
		}
		out = append(out, m)
	}
	return out
}

// portNote is the form of a forward in the annotation, for those who see only the
// sandbox: another user's vmctl, or this one when the directory is gone.
type portNote struct {
	Name     string           `json:"name,omitempty"`
	Address  netip.Addr       `json:"address"`
	Host     int              `json:"host"`
	Guest    int              `json:"guest"`
	Protocol portfwd.Protocol `json:"protocol"`
	Via      portfwd.Via      `json:"via,omitempty"` // "" is the runtime's mapping
	Why      string           `json:"why,omitempty"`
}

func encodePorts(forwards []portfwd.Forward) string {
	notes := make([]portNote, 0, len(forwards))
	for _, f := range forwards {
		n := portNote{Name: f.Name, Address: f.Address, Host: f.HostPort, Guest: f.GuestPort, Protocol: f.Protocol}
		if f.Via.Ours() {
			n.Via, n.Why = f.Via, f.Why
		}
		notes = append(notes, n)
	}
	data, err := json.Marshal(notes)
	if err != nil { // plain strings and numbers: cannot happen
		return "[]"
	}
	return string(data)
}

func decodePorts(text string) ([]portfwd.Forward, error) {
	if text == "" {
		return nil, nil
	}
	var notes []portNote
	if err := json.Unmarshal([]byte(text), &notes); err != nil {
		return nil, fmt.Errorf("annotation %s: %w", annotationPorts, err)
	}
	var out []portfwd.Forward
	for _, n := range notes {
		out = append(out, portfwd.Forward{Name: n.Name, Address: n.Address, HostPort: n.Host, GuestPort: n.Guest, Protocol: n.Protocol, Via: n.Via, Why: n.Why})
	}
	return out, nil
}

// ours reports whether a sandbox or container bears our labels.
func ours(labels map[string]string) bool {
	return labels[LabelMachine] != "" && labels[LabelUID] != ""
}

// newestFirst orders sandboxes by attempt, then by age.
func newestFirst(list []cri.Sandbox) []cri.Sandbox {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b cri.Sandbox) int {
		if a.Attempt != b.Attempt {
			return int(b.Attempt) - int(a.Attempt)
		}
		return b.CreatedAt.Compare(a.CreatedAt)
	})
	return list
}
