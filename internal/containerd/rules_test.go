package containerd

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoPods is what iptables-save printed with a pod of the network vmctl-lab
// (10.213.3.0/24) and one of vmctl-other (10.213.2.0/24), by plugins 1.1.1.
func twoPods(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/iptables-save.txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSweepTakesOnePodOfTwo(t *testing.T) {
	text := twoPods(t)
	script := parseRules(text).sweep("vmctl-lab", netip.MustParsePrefix("10.213.3.0/24"), true)
	left := apply(t, text, script)
	for _, gone := range []string{"vmctl-lab", "10.213.3.", "443d5f7b26adf035a15f2", "18006"} {
		if strings.Contains(left, gone) {
			t.Errorf("%q is still there:\n%s", gone, left)
		}
	}
	var others []string
	for line := range strings.Lines(text) {
		ours := strings.Contains(line, "10.213.3.") || strings.Contains(line, "443d5f7b26adf035a15f2") || strings.Contains(line, "18006")
		if !ours {
			others = append(others, strings.TrimRight(line, "\n"))
		}
	}
	if diff := cmp.Diff(strings.Join(others, "\n")+"\n", left); diff != "" {
		t.Errorf("the other network's rules changed (-before +after):\n%s", diff)
	}
}

func TestSweepOfTheLastTakesTheCommonChains(t *testing.T) {
	text := twoPods(t)
	for _, step := range []struct{ network, subnet string }{
		{"vmctl-lab", "10.213.3.0/24"}, {"vmctl-other", "10.213.2.0/24"},
	} {
		text = apply(t, text, parseRules(text).sweep(step.network, netip.MustParsePrefix(step.subnet), true))
	}
	if strings.Contains(text, "CNI-") {
		t.Errorf("chains of the plugins are left:\n%s", text)
	}
	if script := parseRules(text).sweep("vmctl-lab", netip.MustParsePrefix("10.213.3.0/24"), true); script != "" {
		t.Errorf("there is still something to do:\n%s", script)
	}
}

func TestSweepBesideOthersKeepsTheCommonChains(t *testing.T) {
	text := twoPods(t)
	for _, step := range []struct{ network, subnet string }{
		{"vmctl-lab", "10.213.3.0/24"}, {"vmctl-other", "10.213.2.0/24"},
	} {
		text = apply(t, text, parseRules(text).sweep(step.network, netip.MustParsePrefix(step.subnet), false))
	}
	for _, chain := range commonChains() {
		if !strings.Contains(text, ":"+chain+" -") {
			t.Errorf("chain %s is gone", chain)
		}
	}
}

func TestSweepKeepsAnAdministratorsRule(t *testing.T) {
	text := "*filter\n:FORWARD DROP [0:0]\n:CNI-ADMIN - [0:0]\n:CNI-FORWARD - [0:0]\n" +
		"-A FORWARD -m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD\n" +
		"-A CNI-ADMIN -s 10.1.2.3/32 -j DROP\n" +
		"-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j CNI-ADMIN\nCOMMIT\n"
	if script := parseRules(text).sweep("vmctl-lab", netip.MustParsePrefix("10.213.3.0/24"), true); script != "" {
		t.Errorf("want nothing to be done, got:\n%s", script)
	}
}

func TestSweepOfNothing(t *testing.T) {
	for name, text := range map[string]string{
		"no rules":        "",
		"foreign rules":   "*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\nCOMMIT\n",
		"similar network": "*nat\n:CNI-aa - [0:0]\n-A POSTROUTING -m comment --comment \"name: \\\"vmctl-lab2\\\" id: \\\"x\\\"\" -j CNI-aa\nCOMMIT\n",
		"similar address": "*filter\n:CNI-FORWARD - [0:0]\n-A CNI-FORWARD -s 10.213.30.4/32 -j ACCEPT\nCOMMIT\n",
	} {
		if script := parseRules(text).sweep("vmctl-lab", netip.MustParsePrefix("10.213.3.0/24"), true); script != "" {
			t.Errorf("%s: want nothing, got:\n%s", name, script)
		}
	}
}

func TestSweepWithoutSubnet(t *testing.T) {
	text := "*filter\n:CNI-FORWARD - [0:0]\n-A CNI-FORWARD -s 10.213.3.4/32 -j ACCEPT\nCOMMIT\n"
	if script := parseRules(text).sweep("vmctl-lab", netip.Prefix{}, true); script != "" {
		t.Errorf("an unknown subnet has no rules, got:\n%s", script)
	}
}

// apply does to the text of iptables-save what iptables-restore --noflush would do,
// and fails as it would: on a rule or a chain that is not there, and on a chain that
// is not empty or still jumped to.
func apply(t *testing.T, save, script string) string {
	t.Helper()
	lines := strings.Split(strings.TrimRight(save, "\n"), "\n")
	name := ""
	for command := range strings.Lines(script) {
		command = strings.TrimRight(command, "\n")
		switch {
		case strings.HasPrefix(command, "*"):
			name = command
		case strings.HasPrefix(command, "-D "):
			lines = without(t, lines, name, "-A "+command[len("-D "):])
		case strings.HasPrefix(command, "-X "):
			chain := command[len("-X "):]
			for _, line := range section(lines, name) {
				if strings.HasPrefix(line, "-A "+chain+" ") || strings.HasSuffix(line, "-j "+chain) {
					t.Fatalf("chain %s is deleted while there is %q", chain, line)
				}
			}
			lines = without(t, lines, name, ":"+chain+" - [0:0]")
		case command != "COMMIT":
			t.Fatalf("unexpected command %q", command)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func section(lines []string, table string) []string {
	var found []string
	inside := false
	for _, line := range lines {
		if strings.HasPrefix(line, "*") {
			inside = line == table
		}
		if inside {
			found = append(found, line)
		}
	}
	return found
}

func without(t *testing.T, lines []string, table, victim string) []string {
	t.Helper()
	inside := false
	for k, line := range lines {
		if strings.HasPrefix(line, "*") {
			inside = line == table
		}
		if inside && line == victim {
			return append(append([]string{}, lines[:k]...), lines[k+1:]...)
		}
	}
	t.Fatalf("table %s has no line %q", table, victim)
	return nil
}
