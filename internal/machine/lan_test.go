package machine

import (
	"errors"
	"strings"
	"testing"

	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
)

func TestPortsFromHere(t *testing.T) {
	text := "guest = 'linux'\nenv.BOOT = 'debian'\nnetwork = 'NET'\n[[ports]]\nname='viewer'\nguest=8006\n[[ports]]\nname='rdp'\nguest=3389\n[[ports]]\nname='vnc'\nguest=5900\nvia='relay'\n"
	for network, want := range map[string]string{"lan": "viewer stream, vnc relay; left rdp", "nat": "viewer auto, rdp auto, vnc relay; left "} {
		r, err := recipe.Parse([]byte(strings.Replace(text, "NET", network, 1)), "t.toml")
		if err != nil {
			t.Fatal(err)
		}
		ports, left := portsFromHere(r)
		var got, out []string
		for _, p := range ports {
			got = append(got, p.Name+" "+p.Via)
		}
		for _, p := range left {
			out = append(out, p.Name)
		}
		if text := strings.Join(got, ", ") + "; left " + strings.Join(out, ", "); text != want {
			t.Errorf("%s: %s, want %s", network, text, want)
		}
		if r.Ports[0].Via != string(portfwd.Auto) {
			t.Errorf("%s: the recipe was changed", network)
		}
	}
}

func TestExplainLAN(t *testing.T) {
	for text, want := range map[string]string{
		`no runtime for "lan" is configured`:             "runtime start --lan",
		"failed to setup network: plugin: no more tries": "no DHCP server",
		"dial unix /run/vmctl/x/dhcp.sock: refused":      "runtime start",
		"cni plugin not initialized":                     "CNI network does not work",
		"something else":                                 "",
	} {
		if got := hint.Of(explainLAN(errors.New(text))); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", text, got)
		}
	}
}
