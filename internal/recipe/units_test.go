package recipe

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		in, out string
		bytes   int64
	}{
		{"8G", "8G", 8 << 30},
		{"8g", "8G", 8 << 30},
		{"8GB", "8G", 8 << 30},
		{"8GiB", "8G", 8 << 30},
		{" 8 GiB ", "8G", 8 << 30},
		{"8192M", "8G", 8 << 30},
		{"1.5G", "1536M", 1536 << 20},
		{"256M", "256M", 256 << 20},
		{"1T", "1024G", 1 << 40},
		{"1048576K", "1G", 1 << 30},
		{"half", "half", 0},
		{"MAX", "max", 0},
	} {
		s, err := ParseSize(tt.in)
		if err != nil || s.String() != tt.out || s.Bytes != tt.bytes {
			t.Errorf("ParseSize(%q) = %v (%d bytes), %v; want %s (%d)", tt.in, s, s.Bytes, err, tt.out, tt.bytes)
		}
	}
}

func TestParseSizeErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":         `empty; write a size such as "8G"`,
		"  ":       `empty; write a size such as "8G"`,
		"8":        `no unit; write "8G" or "8M"`,
		"0":        `no unit; write "0G" or "0M"`,
		"0G":       `not a whole number of mebibytes: "0G"`,
		"100K":     `not a whole number of mebibytes: "100K"`,
		"-1G":      `not a size: "-1G"; write one such as "8G", "512M", "half" or "max"`,
		"8X":       `not a size: "8X"; write one such as "8G", "512M", "half" or "max"`,
		"quarter":  `not a size: "quarter"; write one such as "8G", "512M", "half" or "max"`,
		"2P":       `too large: "2P"`,
		"9999999P": `not a whole number of mebibytes: "9999999P"`,
	} {
		s, err := ParseSize(in)
		if err == nil || err.Error() != want {
			t.Errorf("ParseSize(%q) = %v, %v; want %s", in, s, err, want)
		}
	}
}

func TestParseCPUs(t *testing.T) {
	for in, want := range map[string]CPUs{"1": {Count: 1}, " 16 ": {Count: 16}, "half": {Word: "half"}, "Max": {Word: "max"}} {
		if got, err := ParseCPUs(in); err != nil || got != want {
			t.Errorf("ParseCPUs(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"0":    "must be from 1 to 4096, not 0",
		"-4":   "must be from 1 to 4096, not -4",
		"5000": "must be from 1 to 4096, not 5000",
		"":     `not a number of processors: ""; write one such as 4, or "half" or "max"`,
		"2.5":  `not a number of processors: "2.5"; write one such as 4, or "half" or "max"`,
	} {
		if got, err := ParseCPUs(in); err == nil || err.Error() != want {
			t.Errorf("ParseCPUs(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestParseHostPort(t *testing.T) {
	for in, want := range map[string]HostPort{
		"8006":  {8006, HostPortExact},
		"8006+": {8006, HostPortFrom},
		"any":   {},
		"65535": {65535, HostPortExact},
	} {
		got, err := ParseHostPort(in)
		if err != nil || got != want || got.String() != in {
			t.Errorf("ParseHostPort(%q) = %v, %v", in, got, err)
		}
	}
	const usage = `; write 8006, "8006+" (or the next free one) or "any"`
	for in, want := range map[string]string{
		"":      `not a port: ""` + usage,
		"+":     `not a port: ""` + usage,
		"Any":   `not a port: "Any"` + usage,
		"80++":  `not a port: "80+"` + usage,
		"0":     "port must be from 1 to 65535, not 0" + usage,
		"65536": "port must be from 1 to 65535, not 65536" + usage,
	} {
		if got, err := ParseHostPort(in); err == nil || err.Error() != want {
			t.Errorf("ParseHostPort(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

// The texts of the small types are what --json shows.
func TestUnitsInJSON(t *testing.T) {
	type all struct {
		Size Size
		CPUs CPUs
		Host HostPort
	}
	in := all{Size{Bytes: GiB}, CPUs{Word: "half"}, HostPort{80, HostPortFrom}}
	data, err := json.Marshal(in)
	if err != nil || string(data) != `{"Size":"1G","CPUs":"half","Host":"80+"}` {
		t.Fatalf("Marshal = %s, %v", data, err)
	}
	var out all
	if err := json.Unmarshal(data, &out); err != nil || out != in {
		t.Errorf("Unmarshal = %v, %v", out, err)
	}
	for _, bad := range []string{`{"Size":"1"}`, `{"CPUs":"x"}`, `{"Host":"-1"}`} {
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("Unmarshal(%s) is no error", bad)
		}
	}
	if !(Size{}).IsZero() || !(CPUs{}).IsZero() || in.Size.IsZero() || in.CPUs.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestNearest(t *testing.T) {
	names := []string{"windows-11", "windows-10", "debian", "demo", "ubuntu"}
	for word, want := range map[string][]string{
		"windows11":  {"windows-11", "windows-10"},
		"win":        {"windows-11", "windows-10"},
		"dmeo":       {"demo"},
		"Debain":     {"debian"},
		"solaris":    nil,
		"":           nil,
		"windows-12": {"windows-11", "windows-10"},
	} {
		if diff := cmp.Diff(want, nearest(word, names)); diff != "" {
			t.Errorf("nearest(%q) (-want +got):\n%s", word, diff)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"memroy", "memory", 1}} {
		if got := editDistance(tt.a, tt.b); got != tt.want {
			t.Errorf("editDistance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestProblemString(t *testing.T) {
	for want, p := range map[string]Problem{
		"a.toml:3:7: env.X: bad": {"a.toml", 3, 7, "env.X", "bad"},
		"a.toml: bad":            {File: "a.toml", Message: "bad"},
		"env.X: bad":             {Field: "env.X", Message: "bad"},
	} {
		if got := p.String(); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}
