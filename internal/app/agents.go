package app

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/adrg/xdg"

	"vmctl/internal/portfwd"
)

// Agents are the processes that serve forwards of machines on the runtime at endpoint.
func (a *App) Agents(endpoint string) *portfwd.Agents {
	return &portfwd.Agents{Dir: agentsDir(), Command: func(name string, keeper bool) ([]string, error) {
		program, err := vmctlProgram()
		if err != nil {
			return nil, err
		}
		argv := []string{program, "--runtime-endpoint", endpoint, "forwarder", name}
		if keeper {
			argv = append(argv, "--keeper")
		}
		return argv, nil
	}}
}

// agentsDir is the user's directory for what lives as long as the boot; without a login
// session, as for root in a container, there may be none.
func agentsDir() string {
	if info, err := os.Stat(xdg.RuntimeDir); err == nil && info.IsDir() {
		return filepath.Join(xdg.RuntimeDir, "vmctl")
	}
	return filepath.Join(os.TempDir(), "vmctl-"+strconv.Itoa(os.Getuid()))
}

// vmctlProgram is this program, or, for the window, the one beside it or on PATH.
func vmctlProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find vmctl: %w", err)
	}
	if filepath.Base(self) != "vmgui" {
		return self, nil
	}
	beside := filepath.Join(filepath.Dir(self), "vmctl")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	return exec.LookPath("vmctl")
}
