package cri

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.yaml.in/yaml/v3"
)

// crictlEndpoint reads runtime-endpoint from a file in the format of
// /etc/crictl.yaml (kubernetes-sigs/cri-tools docs/crictl.md). An absent file, or
// one that names none, gives "".
func crictlEndpoint(file string) (string, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read crictl configuration: %w", err)
	}
	var v struct {
		RuntimeEndpoint string `yaml:"runtime-endpoint"`
	}
	if err := yaml.Unmarshal(b, &v); err != nil {
		return "", fmt.Errorf("read crictl configuration %q: %w", file, err)
	}
	return v.RuntimeEndpoint, nil
}
