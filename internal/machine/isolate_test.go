package machine

import (
	"strings"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/recipe"
)

// TestCloseByErrand: what is asked of the errand, and what it may do.
func TestCloseByErrand(t *testing.T) {
	for _, c := range []struct {
		name         string
		privileged   bool
		recipe       recipe.Recipe
		want         string
		capabilities string
	}{
		{"as usual", true, recipe.Recipe{}, "errand isolate 5900 8006", ""},
		{"minimal", false, recipe.Recipe{Viewer: recipe.Viewer{Protect: true}}, "errand isolate 5900", "NET_ADMIN"},
		{"lan", true, recipe.Recipe{Network: recipe.NetworkLAN}, "errand isolate --neighbours 5900 8006", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got, capabilities string
			code := 0
			r := errands(t, func(p *critest.Process) int {
				got = strings.Join(p.Container.Command[1:], " ")
				capabilities = strings.Join(p.Container.Capabilities, " ")
				p.Log("stderr", "no such table")
				return code
			})
			s := cri.SandboxConfig{Name: "pod", Namespace: sandboxNamespace, UID: "1", LogDirectory: t.TempDir(), Privileged: c.privileged}
			id, err := r.Runtime.RunSandbox(t.Context(), s, "")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.closeByErrand(t.Context(), id, s, &c.recipe); err != nil || got != c.want || capabilities != c.capabilities {
				t.Errorf("%q with %q, %v; want %q with %q", got, capabilities, err, c.want, c.capabilities)
			}
			code = 1
			if err := r.closeByErrand(t.Context(), id, s, &c.recipe); err == nil || !strings.Contains(err.Error(), "no such table") {
				t.Errorf("an errand that fails: %v", err)
			}
			if left := r.rt.Containers(); len(left) > 0 {
				t.Errorf("left: %+v", left)
			}
			if err := r.removeSandbox(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		})
	}
}
