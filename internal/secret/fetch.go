package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"vmctl/internal/hint"
)

// Source says where a value is kept. Exactly one of its fields is set.
type Source struct {
	File    string   // absolute path
	Env     string   // variable of vmctl's own environment
	Command []string // program and arguments; one alone is a line for sh
	Keyring string   // "SERVICE/ACCOUNT" of the Secret Service
}

// Why a value cannot be used.
var (
	ErrEmpty = errors.New("it is empty")
	ErrLines = errors.New("it has several lines")
)

// maxValue is more than any password or key; what is longer is the wrong file.
const maxValue = 64 << 10

// Fetch returns the value. It waits for the user where a program or the keyring asks
// for something, until ctx ends. The errors name the source and never the value.
func Fetch(ctx context.Context, s Source, getenv func(string) string) (string, error) {
	value, err := s.read(ctx, getenv)
	if err == nil {
		value, err = check(value)
	}
	if errors.Is(err, ErrLines) && len(s.Command) > 0 {
		err = hint.With(err, "have the command print one, as with: | head -n1")
	}
	return value, err
}

func (s Source) read(ctx context.Context, getenv func(string) string) (string, error) {
	switch {
	case s.File != "":
		return readFile(s.File)
	case s.Env != "":
		if value := getenv(s.Env); value != "" {
			return value, nil
		}
		return "", hint.With(fmt.Errorf("the variable %s is not set", s.Env), "set it for this command: %s=... vmctl ...", s.Env)
	case len(s.Command) > 0:
		return run(ctx, s.Command)
	}
	return lookUp(ctx, s.Keyring)
}

func readFile(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxValue+1))
	if err != nil {
		return "", err
	}
	return string(data), nil
}

// check returns the value without the end of its line.
func check(value string) (string, error) {
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	switch {
	case value == "":
		return "", ErrEmpty
	case strings.ContainsAny(value, "\n\r"):
		return "", ErrLines
	case strings.ContainsRune(value, 0):
		return "", errors.New("it contains a zero byte")
	case len(value) > maxValue:
		return "", fmt.Errorf("it is longer than %d bytes", maxValue)
	}
	return value, nil
}

// Exposed tells whether others than the file's owner may read it.
func Exposed(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0
}
