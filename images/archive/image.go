package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// spec says what goes in an image; its fields are the flags of the command.
type spec struct {
	tag        string
	rootfs     string
	binaries   []string // SRC=DEST
	entrypoint []string
	env        []string // NAME=VALUE
	volumes    []string
	ports      []string
	stopSignal string
}

// image builds the image that s describes. Layers are read again whenever
// the image is written, so their sources must stay until then.
func (s spec) image() (v1.Image, error) {
	layers, err := s.layers()
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, fmt.Errorf("append layers: %w", err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read image config: %w", err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	if file.Config, err = s.config(); err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, file)
}

func (s spec) layers() ([]v1.Layer, error) {
	var layers []v1.Layer
	if s.rootfs != "" {
		l, err := rootfsLayer(s.rootfs)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	if len(s.binaries) > 0 {
		l, err := binariesLayer(s.binaries)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("nothing to put in the image: give -binary or -rootfs")
	}
	return layers, nil
}

func (s spec) config() (v1.Config, error) {
	c := v1.Config{
		Entrypoint: s.entrypoint,
		Env:        s.env,
		StopSignal: s.stopSignal,
		WorkingDir: "/",
	}
	for _, e := range s.env {
		if n, _, ok := strings.Cut(e, "="); !ok || n == "" {
			return c, fmt.Errorf("environment %q is not NAME=VALUE", e)
		}
	}
	for _, v := range s.volumes {
		if !strings.HasPrefix(v, "/") {
			return c, fmt.Errorf("volume %q is not an absolute path", v)
		}
		c.Volumes = add(c.Volumes, v)
	}
	for _, p := range s.ports {
		port, err := exposed(p)
		if err != nil {
			return c, err
		}
		c.ExposedPorts = add(c.ExposedPorts, port)
	}
	return c, nil
}

func add(set map[string]struct{}, key string) map[string]struct{} {
	if set == nil {
		set = map[string]struct{}{}
	}
	set[key] = struct{}{}
	return set
}

// write saves img under its one tag. The file appears whole or not at all.
func write(path, tag string, img v1.Image) error {
	ref, err := name.NewTag(tag, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("tag %q: %w", tag, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing to remove
	defer f.Close()
	if err := tarball.Write(ref, img, f); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
