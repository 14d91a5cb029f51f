package containerd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// rules are what iptables-save prints.
type rules struct{ tables []*table }

type table struct {
	name   string
	chains []string // those that somebody made, not the kernel's
	rules  []rule
}

// rule is one line "-A CHAIN REST", as it is printed.
type rule struct{ chain, rest string }

// parseRules reads the output of iptables-save. The kernel's own chains have a
// policy, others a dash in its place.
func parseRules(text string) rules {
	var all rules
	var t *table
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "*"):
			t = &table{name: line[1:]}
			all.tables = append(all.tables, t)
		case t == nil:
		case strings.HasPrefix(line, ":"):
			if name, policy, _ := strings.Cut(line[1:], " "); strings.HasPrefix(policy, "-") {
				t.chains = append(t.chains, name)
			}
		case strings.HasPrefix(line, "-A "):
			chain, rest, _ := strings.Cut(line[len("-A "):], " ")
			t.rules = append(t.rules, rule{chain, rest})
		}
	}
	return all
}

// sweep returns the input for iptables-restore --noflush that removes what is of
// the network, and then, if alone, the plugins' common chains that nobody uses any
// more; "" if there is nothing to remove.
func (r rules) sweep(network string, subnet netip.Prefix, alone bool) string {
	var script strings.Builder
	for _, t := range r.tables {
		if lines := t.sweep(network, subnet, alone); len(lines) > 0 {
			fmt.Fprintf(&script, "*%s\n%s\nCOMMIT\n", t.name, strings.Join(lines, "\n"))
		}
	}
	return script.String()
}

func (t *table) sweep(network string, subnet netip.Prefix, alone bool) []string {
	var lines []string
	var doomed []string // chains
	drop := func(match func(rule) bool) {
		t.rules = slices.DeleteFunc(t.rules, func(r rule) bool {
			if !match(r) {
				return false
			}
			lines = append(lines, "-D "+r.chain+" "+r.rest)
			return true
		})
	}
	drop(func(r rule) bool {
		ours := r.names(network) || r.chain == "CNI-FORWARD" && r.concerns(subnet)
		if target := r.target(); ours && strings.HasPrefix(target, "CNI-") && !slices.Contains(commonChains(), target) {
			doomed = append(doomed, target)
		}
		return ours
	})
	drop(func(r rule) bool { return slices.Contains(doomed, r.chain) })
	for _, chains := range [][]string{portmapChains(), firewallChains()} {
		if alone && t.idle(chains) {
			drop(func(r rule) bool { return slices.Contains(chains, r.chain) || slices.Contains(chains, r.target()) })
			doomed = append(doomed, chains...)
		}
	}
	for _, chain := range doomed {
		if slices.Contains(t.chains, chain) {
			lines = append(lines, "-X "+chain)
			t.chains = slices.DeleteFunc(t.chains, func(c string) bool { return c == chain })
		}
	}
	return lines
}

// idle tells whether no pod of anybody uses these common chains: they hold only
// what the plugin itself puts there once and for all.
func (t *table) idle(chains []string) bool {
	for _, r := range t.rules {
		inside, entered := slices.Contains(chains, r.chain), slices.Contains(chains, r.target())
		switch {
		case !inside && entered && strings.HasPrefix(r.chain, "CNI-"): // from a pod's chain
			return false
		case inside && !standing(r):
			return false
		}
	}
	return true
}

// standing tells the rules that a common chain has without any pod: SETMARK marks,
// MASQ masquerades what is marked, FORWARD first asks the administrator's chain.
func standing(r rule) bool {
	switch r.chain {
	case "CNI-HOSTPORT-SETMARK":
		return r.target() == "MARK"
	case "CNI-HOSTPORT-MASQ":
		return r.target() == "MASQUERADE"
	case "CNI-FORWARD":
		return r.target() == "CNI-ADMIN"
	}
	return false
}

// The chains that the plugins portmap and firewall make and never remove
// (containernetworking/plugins: plugins/meta/portmap/portmap.go and
// plugins/meta/firewall/iptables.go). They make them anew when they need them.
func portmapChains() []string {
	return []string{"CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"}
}

func firewallChains() []string { return []string{"CNI-FORWARD", "CNI-ADMIN"} }

func commonChains() []string { return append(portmapChains(), firewallChains()...) }

// names tells whether the rule's comment is of this network: the plugins write
// `name: "NETWORK" id: "CONTAINER"`, which is printed with its quotes escaped.
func (r rule) names(network string) bool {
	return strings.Contains(r.rest, `name: \"`+network+`\" id: \"`)
}

// target is the chain or the verdict that the rule jumps to.
func (r rule) target() string {
	fields := strings.Fields(r.rest)
	if k := slices.Index(fields, "-j"); k >= 0 && k+1 < len(fields) {
		return fields[k+1]
	}
	return ""
}

// concerns tells whether the rule is for an address of the subnet.
func (r rule) concerns(subnet netip.Prefix) bool {
	fields := strings.Fields(r.rest)
	for k, field := range fields {
		if (field == "-s" || field == "-d") && k+1 < len(fields) {
			if p, err := netip.ParsePrefix(fields[k+1]); err == nil && subnet.IsValid() && subnet.Contains(p.Addr()) {
				return true
			}
		}
	}
	return false
}
