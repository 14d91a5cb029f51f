package cri

import (
	"fmt"

	"github.com/distribution/reference"
)

// NormalizeReference writes an image reference in full, as containerd does:
// "windows" becomes "docker.io/library/windows:latest". CRI-O would look short
// names up in registries.conf instead, so only full ones are ever sent.
func NormalizeReference(ref string) (string, error) {
	named, err := reference.ParseDockerRef(ref)
	if err != nil {
		return "", fmt.Errorf("image reference %q: %w", ref, err)
	}
	return named.String(), nil
}
