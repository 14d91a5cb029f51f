package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Config is the configuration file, $XDG_CONFIG_HOME/vmctl/config.toml. Every key
// may be left out, and so may the file.
type Config struct {
	// RuntimeEndpoint is the runtime's socket, "unix:///run/containerd/containerd.sock".
	RuntimeEndpoint string `toml:"runtime-endpoint"`
	// RuntimeName is the private runtime to use when there are several.
	RuntimeName string `toml:"runtime-name"`
	// Machines is the directory of the machines, instead of
	// $XDG_DATA_HOME/vmctl/machines.
	Machines string `toml:"machines"`
}

// readConfig reads the file at path; none there is the empty configuration. An
// unknown key is an error with its place.
func readConfig(path string) (Config, error) {
	var c Config
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	decoder := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, configError(path, err)
	}
	if c.Machines != "" && !strings.HasPrefix(c.Machines, "/") {
		return c, fmt.Errorf("%s: machines: %q is not an absolute path", path, c.Machines)
	}
	return c, nil
}

func configError(path string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		first := strict.Errors[0]
		line, column := first.Position()
		return fmt.Errorf("%s:%d:%d: %s: unknown key; known are runtime-endpoint, runtime-name, machines",
			path, line, column, strings.Join(first.Key(), "."))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, column := decode.Position()
		return fmt.Errorf("%s:%d:%d: %w", path, line, column, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func socketPath(endpoint string) string { return strings.TrimPrefix(endpoint, "unix://") }
