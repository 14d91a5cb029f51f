package tomledit

import (
	"strings"
	"testing"
)

// An edit that means something else than it should is refused, whatever made it.
func TestCommitRefuses(t *testing.T) {
	const text = "a = 1\nb = 2\n"
	for _, tt := range []struct {
		name  string
		piece splice
		want  string
	}{
		{"no TOML", splice{span{4, 5}, "x"}, "the changed text is not TOML"},
		{"another key", splice{span{10, 11}, "3"}, "without changing more than that"},
		{"a key too many", splice{span{4, 5}, "3\nc = 4"}, "without changing more than that"},
		{"a key too few", splice{span{4, 12}, "3"}, "without changing more than that"},
		{"another type", splice{span{4, 5}, "3.0"}, "without changing more than that"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			err = d.commit([]splice{tt.piece}, func(tree any) any { return put(tree, Keys("a"), int64(3)) })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("commit = %v, want %q", err, tt.want)
			}
			if got := string(d.Bytes()); got != text {
				t.Errorf("changed to %q", got)
			}
		})
	}
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"a = nan\nb = [nan]\n", "b = [ nan ]\na = +nan\n", true},
		{"a = nan\n", "a = 1.0\n", false},
		{"a = 1979-05-27T07:32:00+01:00\n", "a = 1979-05-27T07:32:00+01:00\n", true},
		{"a = 1979-05-27\n", "a = 1979-05-28\n", false},
		{"a = [1]\n", "a = [1, 2]\n", false},
		{"a.b = 1\n", "[a]\nb = 1\n", true},
		{"a = {}\n", "a = []\n", false},
	} {
		a, errA := decode([]byte(tt.a))
		b, errB := decode([]byte(tt.b))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got := same(a, b); got != tt.want {
			t.Errorf("same(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}

func TestStringIsWhatItSays(t *testing.T) {
	for _, s := range []string{"", "x", `C:\new "x"`, "it's", `it's "x"`, "a\nb\r\t\x00\x1f\x7f", "#", "äöü 🖥", `\`, "'''", "\u0085"} {
		got, err := decodeValue(String(s))
		if err != nil || got != s {
			t.Errorf("String(%q) = %s, which is %q, %v", s, String(s), got, err)
		}
		if literal, ok := Literal(s); ok {
			if got, err := decodeValue(literal); err != nil || got != s {
				t.Errorf("Literal(%q) = %s, which is %q, %v", s, literal, got, err)
			}
		}
	}
}
