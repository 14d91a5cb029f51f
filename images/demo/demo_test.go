// Package demo holds the demo image; there is no Go in it but these tests of
// its scripts. They need bash and no right, container or network.
package demo

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// prelude sources the scripts of the container with other directories than
// those of the container.
const prelude = `
set -euo pipefail
scripts=$1 dir=$2
. $scripts/settings.sh
STORAGE=$dir/storage SHM=$dir/shm DEMO=$scripts/../usr/share/demo
mkdir -p "$STORAGE" "$SHM"
for part in log host web processor identity install disk user nat network machine power; do . $scripts/$part.sh; done
sleep() { :; } # no test waits
`

// run gives the script to bash after the prelude; output is both streams
// without colours.
func run(t *testing.T, dir, script string, env ...string) (output string, code int) {
	t.Helper()
	scripts, err := filepath.Abs("files/run")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", prelude+script, "test", scripts, dir)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "INSTALL_SECONDS=1"}, env...)
	data, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return plain(string(data)), cmd.ProcessState.ExitCode()
}

func plain(s string) string {
	for _, code := range []string{"\033[1;34m❯ ", "\033[1;31m❯ ", "\033[1;36m", "\033[1;33m", "\033[1;31m", "\033[0m"} {
		s = strings.ReplaceAll(s, code, "")
	}
	return s
}

// TestScripts runs shellcheck on every script of the image, as it must stay
// clean. The tool is part of what the tests need.
func TestScripts(t *testing.T) {
	bash := []string{"build.sh"}
	for _, pattern := range []string{"build/*.sh", "files/run/*.sh"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		bash = append(bash, found...)
	}
	if out, err := exec.Command("shellcheck", bash...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	guest := []string{"-s", "dash"}
	err := filepath.WalkDir("guest", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "inittab" {
			guest = append(guest, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("shellcheck", guest...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
