package containerd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
)

// network is the CNI network of an instance.
type network struct {
	name   string // in the comments of iptables rules
	bridge string // link
	subnet netip.Prefix
	ipam   string // directory of leases, on a tmpfs so that a reboot frees them
}

// The parts of a conflist that we write and read back.
type (
	conflist struct {
		CNIVersion string      `json:"cniVersion"`
		Name       string      `json:"name"`
		Plugins    []cniPlugin `json:"plugins"`
	}
	cniPlugin struct {
		Type         string          `json:"type"`
		Bridge       string          `json:"bridge,omitempty"`
		IsGateway    bool            `json:"isGateway,omitempty"`
		IPMasq       bool            `json:"ipMasq,omitempty"`
		HairpinMode  bool            `json:"hairpinMode,omitempty"`
		Master       string          `json:"master,omitempty"`
		Mode         string          `json:"mode,omitempty"`
		IPAM         *cniIPAM        `json:"ipam,omitempty"`
		Capabilities map[string]bool `json:"capabilities,omitempty"`
	}
	cniIPAM struct {
		Type    string       `json:"type"`
		Subnet  string       `json:"subnet,omitempty"` // the short form, in other people's files
		Ranges  [][]cniRange `json:"ranges,omitempty"`
		Routes  []cniRoute   `json:"routes,omitempty"`
		DataDir string       `json:"dataDir,omitempty"`

		DaemonSocketPath string `json:"daemonSocketPath,omitempty"`
	}
	cniRange struct {
		Subnet string `json:"subnet"`
	}
	cniRoute struct {
		Dst string `json:"dst"`
	}
)

// render writes the conflist for the plugins there are. The firewall plugin opens
// FORWARD, which other software (Docker, firewalld) may have closed.
func (n network) render(p plugins) ([]byte, error) {
	list := conflist{CNIVersion: p.version, Name: n.name, Plugins: []cniPlugin{{
		Type: "bridge", Bridge: n.bridge, IsGateway: true, IPMasq: true, HairpinMode: true,
		IPAM: &cniIPAM{
			Type:    "host-local",
			Ranges:  [][]cniRange{{{Subnet: n.subnet.String()}}},
			Routes:  []cniRoute{{Dst: "0.0.0.0/0"}},
			DataDir: n.ipam,
		},
	}}}
	if p.portmap {
		list.Plugins = append(list.Plugins, cniPlugin{Type: "portmap", Capabilities: map[string]bool{"portMappings": true}})
	}
	if p.firewall {
		list.Plugins = append(list.Plugins, cniPlugin{Type: "firewall"})
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write CNI network: %w", err)
	}
	return append(data, '\n'), nil
}

// subnetsIn reads the subnets out of a CNI file, list or single plugin, ours or
// not. What is no CNI file has none.
func subnetsIn(file string) []netip.Prefix {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var f struct {
		conflist
		cniPlugin
	}
	if json.Unmarshal(data, &f) != nil {
		return nil
	}
	var found []netip.Prefix
	for _, plugin := range append(f.Plugins, f.cniPlugin) {
		if plugin.IPAM == nil {
			continue
		}
		texts := []string{plugin.IPAM.Subnet}
		for _, ranges := range plugin.IPAM.Ranges {
			for _, r := range ranges {
				texts = append(texts, r.Subnet)
			}
		}
		for _, text := range texts {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				found = append(found, prefix.Masked())
			}
		}
	}
	return found
}

// savedSubnet is the one of the last start; the zero Prefix if there is none.
func (i *Instance) savedSubnet() netip.Prefix {
	if found := subnetsIn(i.paths.network); len(found) > 0 {
		return found[0]
	}
	return netip.Prefix{}
}

// writeNetwork chooses the subnet and writes the conflist.
func (i *Instance) writeNetwork(p plugins) (network, error) {
	taken, err := takenPrefixes(i.paths)
	if err != nil {
		return network{}, err
	}
	subnet, err := chooseSubnet(i.savedSubnet(), taken)
	if err != nil {
		return network{}, err
	}
	n := network{name: i.paths.cniName, bridge: i.paths.bridge, subnet: subnet, ipam: i.paths.ipam}
	data, err := n.render(p)
	if err != nil {
		return network{}, err
	}
	if err := os.MkdirAll(i.paths.cniConf, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return network{}, err
	}
	return n, writeFile(i.paths.network, data)
}
