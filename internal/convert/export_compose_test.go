package convert

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
)

// loadCompose reads a file as docker compose does: with its schema, interpolation and
// checks.
func loadCompose(t *testing.T, data []byte, env map[string]string) (types.ServiceConfig, error) {
	t.Helper()
	dir := t.TempDir()
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{WorkingDir: dir, Environment: env,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yml"), Content: data}}})
	if err != nil {
		return types.ServiceConfig{}, err
	}
	if len(p.Services) != 1 {
		t.Fatalf("services: %v", p.ServiceNames())
	}
	return p.Services[p.ServiceNames()[0]], nil
}

// TestComposeReads has compose-go read what is exported, and compares with the machine.
func TestComposeReads(t *testing.T) {
	secrets := map[string]string{"PASSWORD": "a $ecret", "KEY": "b"}
	for name, m := range exportedRecipes(t) {
		data, _, err := m.Compose()
		if err != nil {
			t.Fatal(err)
		}
		s, err := loadCompose(t, data, secrets)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := types.MappingWithEquals{}
		for _, e := range environment(m.Recipe) {
			if e.Secret != "" {
				e.Value = secrets[e.Name]
			}
			want[e.Name] = &e.Value
		}
		if diff := cmp.Diff(want, s.Environment); diff != "" {
			t.Errorf("%s: environment: %s", name, diff)
		}
		if s.Image != m.Container.Image || s.Hostname != m.Pod.Hostname || time.Duration(*s.StopGracePeriod) != m.Recipe.Lifecycle.StopGrace || s.Privileged != (name == "lan") {
			t.Errorf("%s: image %s, hostname %s, grace %s, privileged %v", name, s.Image, s.Hostname, s.StopGracePeriod, s.Privileged)
		}
		if len(s.Devices) < 2 || s.Devices[0].Source != "/dev/kvm" || s.Devices[0].Target != "/dev/kvm" || s.Devices[0].Permissions != "rwm" {
			t.Errorf("%s: devices %+v", name, s.Devices)
		}
		if storage := s.Volumes[0]; !strings.HasSuffix(storage.Source, "/"+m.Pod.Name+"/storage") || storage.Target != "/storage" || !bool(storage.Bind.CreateHostPath) {
			t.Errorf("%s: storage %+v", name, storage)
		}
		for _, v := range s.Volumes[1:] {
			if made := strings.Contains(v.Source, "/disks/"); bool(v.Bind.CreateHostPath) != made {
				t.Errorf("%s: a missing %s is made: %v", name, v.Source, !made)
			}
		}
	}
}

func TestComposeWantsSecrets(t *testing.T) {
	data, _, err := exportedRecipes(t)["full"].Compose()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadCompose(t, data, map[string]string{"KEY": "b"}); err == nil || !strings.Contains(err.Error(), "PASSWORD") {
		t.Errorf("without the password: %v", err)
	}
}

func TestComposePrivilege(t *testing.T) {
	for text, want := range map[string]bool{
		"guest = \"linux\"\n[env]\nBOOT = \"debian\"\n":                                  false,
		"guest = \"linux\"\n[env]\nBOOT = \"debian\"\nGPU = true\n":                      true,
		"guest = \"macos\"\n[env]\nVERSION = \"15\"\n":                                   true,
		"guest = \"macos\"\nsecurity = \"minimal\"\n[env]\nVERSION = \"15\"\n":           false,
		"guest = \"windows\"\nsecurity = \"privileged\"\n[env]\nVERSION = \"11\"\n":      false,
		"guest = \"windows\"\n[env]\nVERSION = \"11\"\n[[ports]]\nguest = 3389\n":        false,
		"guest = \"linux\"\nnetwork = \"none\"\n[env]\nBOOT = \"debian\"\nGPU = \"N\"\n": false,
	} {
		m := toMachine(t, text, "vm.toml", "")
		data, notes, err := m.Compose()
		if err != nil {
			t.Fatal(err)
		}
		s, err := loadCompose(t, data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Privileged != want {
			t.Errorf("%s: privileged is %v, %v", text, s.Privileged, notes)
		}
		if !want && (len(s.CapAdd) != 1 || s.CapAdd[0] != "NET_ADMIN" || s.Sysctls["net.ipv4.ip_forward"] != "1") {
			t.Errorf("%s: capabilities %v, sysctls %v", text, s.CapAdd, s.Sysctls)
		}
	}
}

// TestComposeUsesAnExistingDisk and makes no folder where it is missing.
func TestComposeUsesAnExistingDisk(t *testing.T) {
	m := toMachine(t, "guest = \"demo\"\n", "vm.toml", "/srv/vm")
	data, _, err := m.Compose()
	if err != nil {
		t.Fatal(err)
	}
	s, err := loadCompose(t, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Volumes[0]; v.Source != "/srv/vm/storage" || bool(v.Bind.CreateHostPath) {
		t.Errorf("storage: %+v %+v", v, v.Bind)
	}
}
