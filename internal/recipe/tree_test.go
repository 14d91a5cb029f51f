package recipe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2/unstable"
)

// outline writes a tree with its places.
func outline(b *strings.Builder, indent, name string, v *value) {
	fmt.Fprintf(b, "%s%s %d:%d %s", indent, name, v.at.line, v.at.column, v.describe())
	if v.fields == nil && v.items == nil {
		fmt.Fprintf(b, " %q", v.text)
	}
	b.WriteString("\n")
	for _, key := range v.keys {
		outline(b, indent+"  ", key, v.fields[key])
	}
	for i, item := range v.items {
		outline(b, indent+"  ", fmt.Sprint(i), item)
	}
}

func TestParseTree(t *testing.T) {
	text := `top = "text" # comment
a.b.c = 0x10
'quoted key' = true

[table]
  inline = { x = 1.5, y.z = [1, "two",
    # between
    2020-01-01] }
[table.sub]
multi = '''
lines'''

[[list]]
n = 1
[list.sub]
m = 2
[[list]]
[[list.deep]]
k = -1
[[list.deep]]
`
	tree, problems := parseTree([]byte(text), "f.toml")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got strings.Builder
	outline(&got, "", "root", tree)
	want := `root 1:1 a table
  top 1:1 a string "text"
  a 2:1 a table
    b 2:3 a table
      c 2:5 an integer "0x10"
  quoted key 3:1 a boolean "true"
  table 5:2 a table
    inline 6:3 a table
      x 6:14 a number with a fraction "1.5"
      y 6:23 a table
        z 6:25 an array
          0 6:30 an integer "1"
          1 6:33 a string "two"
          2 8:5 a date or time "2020-01-01"
    sub 9:8 a table
      multi 10:1 a string "lines"
  list 13:3 an array
    0 13:3 a table
      n 14:1 an integer "1"
      sub 15:7 a table
        m 16:1 an integer "2"
    1 17:3 a table
      deep 18:8 an array
        0 18:8 a table
          k 19:1 an integer "-1"
        1 20:8 a table
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What go-toml refuses is one problem, at its place.
func TestParseTreeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1\na = 2\n":           "f:2:1: a: ",
		"[a]\n[a]\n":               "f:2:2: a: ",
		"a = [1\n":                 "f:1:7: ",
		"a = 1\n[a]\nb = 2\n":      "f:2:2: a: ",
		"a.b = 1\n[a]\nc = 1\n":    "f:2:2: a: ",
		"\xff = 1\n":               "f:1:1: ",
		"\ufeffa = 1\n":            "f:1:1: begins with a byte order mark; save it as UTF-8 without one",
		"x = 1\ny = 'no end\n":     "f:2:",
		"a = {}\na.b = 1\n":        "f:2:",
		"a = 99999999999999999999": "f:1:5: ",
	} {
		tree, problems := parseTree([]byte(text), "f")
		if len(problems) != 1 || tree != nil {
			t.Errorf("parseTree(%q) = %v, %v; want one problem", text, tree, problems)
			continue
		}
		if got := problems[0].String(); !strings.HasPrefix(got, want) || problems[0].Message == "" {
			t.Errorf("parseTree(%q) = %s; want %s...", text, got, want)
		}
	}
}

func TestLineStarts(t *testing.T) {
	for text, want := range map[string][]int{
		"":          {0},
		"a":         {0},
		"a\n":       {0, 2},
		"\n\nb\r\n": {0, 1, 2, 5},
	} {
		if diff := cmp.Diff(want, lineStarts([]byte(text))); diff != "" {
			t.Errorf("lineStarts(%q):\n%s", text, diff)
		}
	}
}

// The places of Windows' line ends are the same.
func TestPlacesWithCRLF(t *testing.T) {
	text := "guest = 'demo'\r\n\r\n[resources]\r\ncpus = 0\r\n"
	_, err := Parse([]byte(text), "f")
	if want := "f:4:1: resources.cpus: must be from 1 to 4096, not 0"; err == nil || err.Error() != want {
		t.Errorf("Parse = %v, want %s", err, want)
	}
}

func TestJoin(t *testing.T) {
	for _, tt := range []struct{ path, key, want string }{
		{"", "a", "a"}, {"a", "b", "a.b"}, {"a[0]", "b", "a[0].b"}, {"env", "A-B", "env.A-B"}, {"a", "b.c", `a."b.c"`}, {"a", "", `a.""`},
	} {
		if got := join(tt.path, tt.key); got != tt.want {
			t.Errorf("join(%q, %q) = %s, want %s", tt.path, tt.key, got, tt.want)
		}
	}
}

func TestPlaceOfMissingKey(t *testing.T) {
	d := &reader{places: map[string]position{
		"": {"f", 1, 1}, "env": {"f", 4, 2}, "ports[0]": {"f", 7, 3},
	}}
	for path, want := range map[string]position{
		"env.VERSION": {"f", 4, 2}, "ports[0].guest": {"f", 7, 3}, "ports[1].guest": {"f", 1, 1}, "guest": {"f", 1, 1}, "": {"f", 1, 1},
	} {
		if got := d.place(path); got != want {
			t.Errorf("place(%q) = %v, want %v", path, got, want)
		}
	}
}

// What follows from a problem is not said again; what only looks like it is.
func TestReportOnce(t *testing.T) {
	d := &reader{file: "f"}
	for _, path := range []string{"ports[0]", "ports[0].guest", "ports[0]", "ports[01]", "env", "env.A", "envy", "", ""} {
		d.report(path, "bad")
	}
	var got []string
	for _, p := range d.problems {
		got = append(got, p.Field)
	}
	if diff := cmp.Diff([]string{"ports[0]", "ports[01]", "env", "envy", "", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecimal(t *testing.T) {
	for literal, want := range map[string]string{"0x10": "16", "1_000": "1000", "0b11": "3", "0o17": "15", "-5": "-5", "+5": "5", "x": "x"} {
		if got := decimal(literal); got != want {
			t.Errorf("decimal(%q) = %q, want %q", literal, got, want)
		}
	}
}

func TestNest(t *testing.T) {
	v := nest([]string{"a", "b"}, "text")
	leaf := v.fields["a"].fields["b"]
	if leaf.text != "text" || !leaf.loose || leaf.kind != unstable.String {
		t.Errorf("leaf %+v", leaf)
	}
}
