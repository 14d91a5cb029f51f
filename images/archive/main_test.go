package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestBinaryArchive(t *testing.T) {
	dir := t.TempDir()
	bin := writeFile(t, dir, "prog", "#!program")
	out := filepath.Join(dir, "made", "pause.tar")
	mustRun(t, "-tag", "localhost/vmctl-pause:1", "-binary", bin+"=/usr/bin/pause", "-binary", bin+"=/pause",
		"-entrypoint", "/pause", "-o", out)

	img := load(t, out, "localhost/vmctl-pause:1")
	config := configOf(t, img)
	if diff := cmp.Diff([]string{"/pause"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entry point (-want +got):\n%s", diff)
	}
	if config.OS != "linux" || config.Architecture != "amd64" {
		t.Errorf("platform is %s/%s, want linux/amd64", config.OS, config.Architecture)
	}
	want := []string{"usr/ d 755", "usr/bin/ d 755", "usr/bin/pause - 755 #!program", "pause - 755 #!program"}
	if diff := cmp.Diff(want, layerFiles(t, img)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRootfsArchive(t *testing.T) {
	dir := t.TempDir()
	rootfs := writeFile(t, dir, "rootfs.tar", string(tarOf(t, "etc/hostname", "demo")))
	out := filepath.Join(dir, "demo.tar")
	mustRun(t, "-tag", "localhost/vmctl-demo:1", "-rootfs", rootfs,
		"-entrypoint", "/usr/bin/tini", "-entrypoint", "-s", "-entrypoint", "/run/entry.sh",
		"-env", "VERSION=1", "-env", "EMPTY=", "-volume", "/storage", "-expose", "22", "-expose", "7/udp",
		"-stop-signal", "SIGTERM", "-o", out)

	img := load(t, out, "localhost/vmctl-demo:1")
	want := v1.Config{
		Entrypoint:   []string{"/usr/bin/tini", "-s", "/run/entry.sh"},
		Env:          []string{"VERSION=1", "EMPTY="},
		Volumes:      map[string]struct{}{"/storage": {}},
		ExposedPorts: map[string]struct{}{"22/tcp": {}, "7/udp": {}},
		StopSignal:   "SIGTERM",
		WorkingDir:   "/",
	}
	if diff := cmp.Diff(want, configOf(t, img).Config); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"etc/hostname - 644 demo"}, layerFiles(t, img)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestArchiveIsReproducible(t *testing.T) {
	dir := t.TempDir()
	rootfs := writeFile(t, dir, "rootfs.tar", string(tarOf(t, "a", "b")))
	var archives [2][]byte
	for i, name := range []string{"one.tar", "two.tar"} {
		bin := writeFile(t, dir, name+".bin", "same")
		out := filepath.Join(dir, name)
		mustRun(t, "-tag", "localhost/x:1", "-rootfs", rootfs, "-binary", bin+"=/x", "-o", out)
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		archives[i] = data
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of equal input differ")
	}
}

func TestBadFlags(t *testing.T) {
	dir := t.TempDir()
	bin := writeFile(t, dir, "prog", "x")
	out := filepath.Join(dir, "out.tar")
	good := []string{"-tag", "localhost/x:1", "-binary", bin + "=/x"}
	tests := map[string]struct {
		args []string
		want string
	}{
		"no output":         {good, "flag -o is required"},
		"extra argument":    {append([]string{"-o", out}, append(good, "more")...), `unexpected argument "more"`},
		"unknown flag":      {[]string{"-nope"}, "not defined: -nope"},
		"nothing inside":    {[]string{"-tag", "localhost/x:1", "-o", out}, "give -binary or -rootfs"},
		"no tag":            {[]string{"-binary", bin + "=/x", "-o", out}, `tag ""`},
		"bad tag":           {[]string{"-tag", "Localhost/X:1", "-binary", bin + "=/x", "-o", out}, `tag "Localhost/X:1"`},
		"binary no dest":    {[]string{"-tag", "localhost/x:1", "-binary", bin, "-o", out}, "is not SRC=/DEST"},
		"binary relative":   {[]string{"-tag", "localhost/x:1", "-binary", bin + "=x", "-o", out}, "is not SRC=/DEST"},
		"binary root":       {[]string{"-tag", "localhost/x:1", "-binary", bin + "=/", "-o", out}, "is not SRC=/DEST"},
		"env":               {append(good, "-env", "=x", "-o", out), `environment "=x" is not NAME=VALUE`},
		"volume":            {append(good, "-volume", "storage", "-o", out), `volume "storage" is not an absolute path`},
		"port not a number": {append(good, "-expose", "http", "-o", out), `port "http"`},
		"port zero":         {append(good, "-expose", "0", "-o", out), `port "0"`},
		"port protocol":     {append(good, "-expose", "7/icmp", "-o", out), `port "7/icmp"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := run(tt.args, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
			if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("an archive was left behind (stat: %v)", err)
			}
		})
	}
}

func TestMissingSources(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.tar")
	for _, source := range [][]string{{"-binary", "/nope=/x"}, {"-rootfs", "/nope"}} {
		err := run(append([]string{"-tag", "localhost/x:1", "-o", out}, source...), io.Discard)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: error is %v, want file does not exist", source, err)
		}
	}
}

func TestHelp(t *testing.T) {
	var usage bytes.Buffer
	if err := run([]string{"-h"}, &usage); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error is %v, want flag.ErrHelp", err)
	}
	if !strings.Contains(usage.String(), "-entrypoint WORD") {
		t.Errorf("usage lacks -entrypoint WORD:\n%s", &usage)
	}
}

func mustRun(t *testing.T, args ...string) {
	t.Helper()
	if err := run(args, io.Discard); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func tarOf(t *testing.T, name, content string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// load reads the archive back and checks that tag is its only name, spelled
// exactly so: a runtime imports it under what the archive says.
func load(t *testing.T, path, tag string) v1.Image {
	t.Helper()
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{tag}, manifest[0].RepoTags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	img, err := tarball.ImageFromPath(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func configOf(t *testing.T, img v1.Image) *v1.ConfigFile {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// layerFiles lists every entry as "name kind mode content", layer by layer.
func layerFiles(t *testing.T, img v1.Image) []string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, l := range layers {
		rc, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, entries(t, rc)...)
		rc.Close()
	}
	return files
}

func entries(t *testing.T, r io.Reader) []string {
	t.Helper()
	var files []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		kind := h.FileInfo().Mode().String()[:1]
		files = append(files, strings.TrimSpace(strings.Join([]string{h.Name, kind, modeOf(h), string(content)}, " ")))
	}
}

func modeOf(h *tar.Header) string {
	const octal = "01234567"
	m := h.Mode & 0o777
	return string([]byte{octal[m>>6], octal[m>>3&7], octal[m&7]})
}
