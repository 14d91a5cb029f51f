package recipe

import (
	"fmt"
	"strconv"
	"strings"
)

// maxCPUs is more than QEMU's q35 machine takes (docs/system/i386/pc.rst: 4096).
const maxCPUs = 4096

// CPUs is a number of virtual processors, or one of the words "half" and "max",
// which the images turn into a share of the host's (qemus/qemu src/proc.sh).
type CPUs struct {
	Count int    // 0 when Word is set
	Word  string // "", "half" or "max"
}

// ParseCPUs reads "4", "half" or "max".
func ParseCPUs(text string) (CPUs, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	if word == "half" || word == "max" {
		return CPUs{Word: word}, nil
	}
	n, err := strconv.Atoi(word)
	if err != nil {
		return CPUs{}, fmt.Errorf(`not a number of processors: %q; write one such as 4, or "half" or "max"`, text)
	}
	if n < 1 || n > maxCPUs {
		return CPUs{}, fmt.Errorf("must be from 1 to %d, not %d", maxCPUs, n)
	}
	return CPUs{Count: n}, nil
}

// IsZero tells that no number was given.
func (c CPUs) IsZero() bool { return c == CPUs{} }

// String writes what the images read: "4" or "half".
func (c CPUs) String() string {
	if c.Word != "" {
		return c.Word
	}
	return strconv.Itoa(c.Count)
}

// MarshalText writes the number as String does.
func (c CPUs) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads as ParseCPUs does.
func (c *CPUs) UnmarshalText(text []byte) error {
	cpus, err := ParseCPUs(string(text))
	if err != nil {
		return err
	}
	*c = cpus
	return nil
}
