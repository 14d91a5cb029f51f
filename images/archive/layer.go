package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// rootfsLayer makes the tar at path a layer, byte for byte.
func rootfsLayer(path string) (v1.Layer, error) {
	// The layer is compressed once and kept: its size, digest and content
	// are asked for in turn. The fast level halves the time of a build.
	l, err := tarball.LayerFromFile(path, tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithCompressedCaching)
	if err != nil {
		return nil, fmt.Errorf("root file system %q: %w", path, err)
	}
	return l, nil
}

// binariesLayer makes a layer of the files named by SRC=DEST, with the
// directories that lead to them.
func binariesLayer(binaries []string) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	made := map[string]bool{}
	for _, b := range binaries {
		src, dest, ok := strings.Cut(b, "=")
		if !ok || src == "" || !strings.HasPrefix(dest, "/") || path.Clean(dest) == "/" {
			return nil, fmt.Errorf("binary %q is not SRC=/DEST", b)
		}
		if err := addBinary(w, made, src, strings.TrimPrefix(path.Clean(dest), "/")); err != nil {
			return nil, fmt.Errorf("binary %q: %w", src, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	})
}

func addBinary(w *tar.Writer, made map[string]bool, src, dest string) error {
	data, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	if err := addParents(w, made, dest); err != nil {
		return err
	}
	if err := w.WriteHeader(header(tar.TypeReg, dest, int64(len(data)))); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func addParents(w *tar.Writer, made map[string]bool, dest string) error {
	for i, r := range dest {
		if r != '/' || made[dest[:i]] {
			continue
		}
		made[dest[:i]] = true
		if err := w.WriteHeader(header(tar.TypeDir, dest[:i+1], 0)); err != nil {
			return err
		}
	}
	return nil
}

// header is that of a file or directory of root's, dated the first second
// of 1970 so that archives do not differ by their day.
func header(kind byte, name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: kind, Name: name, Size: size, Mode: 0o755, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
}

// exposed turns "80", "80/tcp" or "7/udp" into the form of an image config.
func exposed(port string) (string, error) {
	number, proto, ok := strings.Cut(port, "/")
	if !ok {
		proto = "tcp"
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || (proto != "tcp" && proto != "udp") {
		return "", fmt.Errorf("port %q is not NUMBER, NUMBER/tcp or NUMBER/udp", port)
	}
	return fmt.Sprintf("%d/%s", n, proto), nil
}
