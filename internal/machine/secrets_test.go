package machine

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

const hidden = "hunter2-correct-horse"

// secretly is a recipe with one secret of each kind that needs no desktop.
func secretly(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(hidden+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return rigRecipe + "[secrets]\nPASSWORD = { file = \"" + file + "\" }\nKEY = { env = \"TEST_KEY\" }\nOTHER = { command = [\"cat\", \"" + file + "\"] }\n"
}

func TestSecretsReachTheContainerAlone(t *testing.T) {
	r := newRig(t)
	r.Getenv = func(name string) string { return map[string]string{"TEST_KEY": hidden + "-2"}[name] }
	rec := parse(t, secretly(t))
	var said strings.Builder
	mc, err := r.Up(t.Context(), "demo", rec, StartOptions{}, func(p Progress) { said.WriteString(p.Text + "\n") })
	if err != nil {
		t.Fatal(err)
	}
	c := r.rt.Containers()[0]
	for _, want := range []cri.EnvVar{{Name: "PASSWORD", Value: hidden}, {Name: "KEY", Value: hidden + "-2"}, {Name: "OTHER", Value: hidden}} {
		if !slices.Contains(c.Config.Env, want) {
			t.Errorf("the container has no %s", want.Name)
		}
	}
	if !strings.Contains(said.String(), "can be read by others; close it: chmod 600") {
		t.Errorf("no word about the open file: %s", said.String())
	}
	leaks := map[string]string{"progress": said.String()}
	for key, value := range c.Config.Labels {
		leaks["label "+key] = value
	}
	for key, value := range r.rt.Sandboxes()[0].Config.Annotations {
		leaks["annotation "+key] = value
	}
	pod, container, err := r.Render(t.Context(), "demo", nil, false)
	if err != nil {
		t.Fatal(err)
	}
	leaks["render"] = string(pod) + string(container)
	err = filepath.WalkDir(mc.Directory, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, readErr := os.ReadFile(path)
			leaks[path], err = string(data), readErr
		}
		return err
	})
	if err != nil || len(leaks) < 8 {
		t.Fatalf("looked at %d places only: %v", len(leaks), err)
	}
	for where, text := range leaks {
		if strings.Contains(text, hidden[:5]) {
			t.Errorf("%s holds a secret:\n%s", where, text)
		}
	}
	if !strings.Contains(leaks["render"], "(secret: variable TEST_KEY)") {
		t.Errorf("render does not say where the secret is:\n%s", leaks["render"])
	}
	if _, container, err = r.Render(t.Context(), "demo", nil, true); err != nil || !strings.Contains(string(container), hidden+"-2") {
		t.Errorf("render with reveal: %v\n%s", err, container)
	}
}

func TestMissingSecretStopsTheStart(t *testing.T) {
	r := newRig(t)
	r.Getenv = func(string) string { return "" }
	_, err := r.Up(t.Context(), "demo", parse(t, secretly(t)), StartOptions{}, nil)
	if err == nil || !strings.Contains(err.Error(), "secret KEY (variable TEST_KEY): the variable TEST_KEY is not set") {
		t.Errorf("error %v", err)
	}
	r.empty(t)
	if list, err := r.Store.List(); err != nil || len(list) != 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// A protected viewer whose password is secret is not asked: its file is read.
func TestProgressOfProtectedViewer(t *testing.T) {
	r := newRig(t)
	r.guest.Protected.Store(true)
	r.rt.OnExec("vm", func(c critest.ExecCall) critest.ExecResult {
		if slices.Equal(c.Cmd, []string{"cat", statusPage}) {
			return critest.ExecResult{ExecResult: cri.ExecResult{ExitCode: 1}}
		}
		return critest.ExecResult{ExecResult: cri.ExecResult{ExitCode: 127}}
	})
	mc, err := r.Up(t.Context(), "demo", parse(t, rigRecipe+"[viewer]\nprotect = true\n[secrets]\nPASSWORD = { command = \"echo x\" }\n"), StartOptions{}, nil)
	if err != nil || mc.Phase != Running {
		t.Errorf("%s, %v", mc.Phase, err)
	}
}
