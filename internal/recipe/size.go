package recipe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// Binary units, in bytes.
const (
	MiB int64 = 1 << 20
	GiB int64 = 1 << 30
)

// maxSize keeps sizes in the range in which go-units' floating point is exact.
const maxSize = 1 << 50

// Size is an amount of memory or disk: a whole number of mebibytes, or one of the
// words "half" and "max", which the images turn into a share of what the host has
// (qemus/qemu src/memory.sh, src/disk.sh).
type Size struct {
	Bytes int64  // 0 when Word is set
	Word  string // "", "half" or "max"
}

// ParseSize reads "8G", "8GiB", "8192M", "1.5G", "half" or "max". Units are
// binary, as in the images; a number alone is refused, because the images take it
// for gibibytes below 130 and for mebibytes from there on.
func ParseSize(text string) (Size, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	switch {
	case word == "":
		return Size{}, errors.New(`empty; write a size such as "8G"`)
	case word == "half" || word == "max":
		return Size{Word: word}, nil
	case strings.Trim(word, "0123456789") == "":
		return Size{}, fmt.Errorf(`no unit; write %q or %q`, word+"G", word+"M")
	}
	bytes, err := units.RAMInBytes(word)
	switch {
	case err != nil:
		return Size{}, fmt.Errorf(`not a size: %q; write one such as "8G", "512M", "half" or "max"`, text)
	case bytes <= 0 || bytes%MiB != 0:
		return Size{}, fmt.Errorf("not a whole number of mebibytes: %q", text)
	case bytes > maxSize:
		return Size{}, fmt.Errorf("too large: %q", text)
	}
	return Size{Bytes: bytes}, nil
}

// IsZero tells that no size was given.
func (s Size) IsZero() bool { return s == Size{} }

// String writes the size as the images read it: "8G", "512M", "half".
func (s Size) String() string {
	switch {
	case s.Word != "":
		return s.Word
	case s.Bytes%GiB == 0 && s.Bytes > 0:
		return strconv.FormatInt(s.Bytes/GiB, 10) + "G"
	}
	return strconv.FormatInt(s.Bytes/MiB, 10) + "M"
}

// MarshalText writes the size as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a size as ParseSize does.
func (s *Size) UnmarshalText(text []byte) error {
	size, err := ParseSize(string(text))
	if err != nil {
		return err
	}
	*s = size
	return nil
}
