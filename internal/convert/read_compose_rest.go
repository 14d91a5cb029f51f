package convert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// composeTexts says what becomes of the keys of a service.
func composeTexts() map[string]string {
	const limits = "not carried over: vmctl sets no limits; the guest gets what [resources] says"
	const gpu = `not carried over; write the device as CDI names it: [[devices]] cdi = "nvidia.com/gpu=all"`
	return map[string]string{
		"image": carried, "container_name": carried, "environment": carried, "ports": carried,
		"volumes": carried, "devices": carried, "sysctls": carried, "cap_add": carried, "privileged": carried,
		"stop_grace_period": carried, "restart": carried, "runtime": carried, "networks": carried,
		"device_cgroup_rules": carried, "env_file": carried, "secrets": carried, "scale": carried,
		"build":       "not carried over: build the image, save it as an archive, and load it with vmctl image import",
		"command":     "not carried over: the images' own command starts the machine",
		"entrypoint":  "not carried over: the images' own entry point starts the machine",
		"deploy":      "not carried over: limits, replicas and placement are for several containers or hosts",
		"depends_on":  "not carried over: machines start on their own; start the others first",
		"dns":         "not carried over: the pod gets the host's name servers",
		"extra_hosts": "not carried over: write them into the guest's own hosts file",
		"gpus":        gpu,
		"healthcheck": "not carried over: lifecycle.ready says when the machine is ready",
		"hostname":    "not carried over: each machine has a host name of its own, and the guest's MAC address is made from it",
		"labels":      "not carried over: vmctl sets its own",
		"logging":     "not carried over: the log is in the machine's directory",
		"mac_address": "not carried over: write env.MAC",
		"mem_limit":   limits, "cpus": limits, "cpuset": limits, "memswap_limit": limits, "mem_reservation": limits,
		"network_mode": "not carried over: each machine has a network of its own",
		"profiles":     "not carried over: a recipe is used by its name",
		"pull_policy":  "not carried over: an image is pulled when it is not there",
		"security_opt": `not carried over: write security = "privileged" or "minimal"`,
		"shm_size":     "not carried over: the pod has 64 MiB, and the images need no more",
		"tmpfs":        "not carried over: pods of this kind have no memory file systems, and the images need none",
		"stop_signal":  "not carried over: the images shut the guest down on SIGTERM",
		"ulimits":      "not carried over: the limits are the container runtime's",
		"user":         "not carried over: the images run as root",
		"userns_mode":  "not carried over: the images run as root",
	}
}

// extras notes what a Workload does not hold.
func (c *composeFile) extras() {
	s := c.written
	c.notes.rest("services."+s.Name, s, composeTexts())
	for _, rule := range s.DeviceCgroupRules {
		c.notes.add(c.at("device_cgroup_rules"), "%q is not carried over: only a privileged machine opens devices that are not listed", rule)
	}
	for _, secret := range s.Secrets {
		c.notes.add(c.at("secrets"), "%q is not shown as a file; a variable takes its value where [secrets] says so", secret.Source)
	}
	for name := range s.Extensions {
		c.notes.add(c.at(name), "not carried over: an extension")
	}
}

// network tells whether the service is on a macvlan network, and notes what vmctl
// cannot set up itself.
func (c *composeFile) network() (lan bool) {
	for _, name := range slices.Sorted(maps.Keys(c.service.Networks)) {
		where := c.at("networks." + name)
		config := c.project.Networks[name]
		own := c.service.Networks[name]
		switch {
		case config.Driver == "macvlan":
			lan = true
			c.notes.add(where, "macvlan becomes network = \"lan\": the container runtime needs a pod network of the type macvlan%s", macvlanFacts(config.DriverOpts["parent"], subnets(config.Ipam.Config)))
		case config.Driver != "" && config.Driver != "bridge":
			c.notes.add(where, "not carried over: a network of the type %q", config.Driver)
		case bool(config.External):
			c.notes.add(where, "an external network: where it is a macvlan one, write network = \"lan\"")
		case name != "default":
			c.notes.add(where, "not carried over: the machine is on the container runtime's own network, and reached through [[ports]]")
		}
		if own != nil && own.Ipv4Address != "" {
			c.notes.add(where, "the address %s is not carried over: let the router give the guest's MAC address that one", own.Ipv4Address)
		}
		if own != nil && own.MacAddress != "" {
			c.notes.add(where, "the MAC address %s is not carried over: write env.MAC", own.MacAddress)
		}
	}
	return lan
}

func macvlanFacts(parent string, subnets []string) string {
	var b strings.Builder
	if parent != "" {
		fmt.Fprintf(&b, " on %s", parent)
	}
	if len(subnets) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(subnets, ", "))
	}
	return b.String()
}

func subnets(pools []*types.IPAMPool) []string {
	var out []string
	for _, p := range pools {
		if p != nil && p.Subnet != "" {
			out = append(out, p.Subnet)
		}
	}
	return out
}
