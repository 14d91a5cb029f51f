package tomledit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// steps reads a path of a test: keys with dots between them, #N for an item.
func steps(text string) Path {
	var p Path
	for _, s := range strings.Split(text, ".") {
		if rest, ok := strings.CutPrefix(s, "#"); ok {
			n := 0
			for _, c := range rest {
				n = n*10 + int(c-'0')
			}
			p = append(p, Item(n))
			continue
		}
		p = append(p, Key(s))
	}
	return p
}

type setCase struct{ name, before, path, value, after string }

func TestSetReplaces(t *testing.T) {
	runSet(t, []setCase{
		{"the comment on the line stays", "a = 1 # one\nb = 2\n", "a", "10", "a = 10 # one\nb = 2\n"},
		{"spacing stays", "a   =\t1\t# one\n", "a", "2", "a   =\t2\t# one\n"},
		{"windows line ends", "a = 1\r\n[t]\r\nb = 'x'\r\n", "t.b", "'y'", "a = 1\r\n[t]\r\nb = 'y'\r\n"},
		{"no last line end", "a = 1", "a", "2", "a = 2"},
		{"in a section", "[t]\na = 1\n[u]\na = 1\n", "u.a", "2", "[t]\na = 1\n[u]\na = 2\n"},
		{"dotted", "t.a = 1\nt . b = 2\n", "t.b", "3", "t.a = 1\nt . b = 3\n"},
		{"quoted keys", "'t' . \"a\" = 1\n", "t.a", "2", "'t' . \"a\" = 2\n"},
		{"escaped key", `"\u0061=b" = 1`, "a=b", "2", `"\u0061=b" = 2`},
		{"in braces", "t = {a = 1, b = {c = [1, 2]}, d=3}", "t.b.c.#1", "9", "t = {a = 1, b = {c = [1, 9]}, d=3}"},
		{"in nested arrays", "a = [ [1, 2] , [ [3], 4 ] ] # x", "a.#1.#0", "[]", "a = [ [1, 2] , [ [], 4 ] ] # x"},
		{"a long string", "a = '''\n# no comment\n[t]\n'''\nb = 1\n", "a", `"x"`, "a = \"x\"\nb = 1\n"},
		{"an array with comments", "a = [ # x ]\n  1, # [\n  2,\n]\nb = 1\n", "a", "[3]", "a = [3]\nb = 1\n"},
		{"one item of that", "a = [ # x ]\n  1, # [\n  2,\n]\nb = 1\n", "a.#1", "3", "a = [ # x ]\n  1, # [\n  3,\n]\nb = 1\n"},
		{"an array of tables", "[[p]]\nn = 1\n[[p]]\nn = 2\n[q]\n", "p.#1.n", "3", "[[p]]\nn = 1\n[[p]]\nn = 3\n[q]\n"},
		{"below an item", "[[p]]\n[p.s]\nn = 1\n[[p]]\n[p.s]\nn = 2\n", "p.#0.s.n", "3", "[[p]]\n[p.s]\nn = 3\n[[p]]\n[p.s]\nn = 2\n"},
		{"text after a nan", "a = nan\nb = 1979-05-27T07:32:00Z\nc = 1\n", "c", "2", "a = nan\nb = 1979-05-27T07:32:00Z\nc = 2\n"},
	})
}

func TestSetAddsAKey(t *testing.T) {
	runSet(t, []setCase{
		{"to nothing", "", "a", "1", "a = 1\n"},
		{"at the top", "a = 1 # one\n\n[t]\nb = 2\n", "c", "3", "a = 1 # one\nc = 3\n\n[t]\nb = 2\n"},
		{"at a top without keys", "[t]\nb = 2\n", "c", "3", "c = 3\n\n[t]\nb = 2\n"},
		{"below the first comment", "#:schema x\n# mine\n\n# of t\n[t]\n", "c", "3", "#:schema x\n# mine\n\nc = 3\n\n# of t\n[t]\n"},
		{"below a comment right before", "# mine\n[t]\n", "c", "3", "# mine\nc = 3\n\n[t]\n"},
		{"to comments only", "# mine", "c", "3", "# mine\nc = 3"},
		{"to blank lines", "\n\n", "c", "3", "\n\nc = 3\n"},
		{"indented", "[t]\n  a = 1\n  # b = 2\n\n[u]\n", "t.c", "3", "[t]\n  a = 1\n  c = 3\n  # b = 2\n\n[u]\n"},
		{"without spaces", "[t]\na=1\n", "t.b", "2", "[t]\na=1\nb=2\n"},
		{"to an empty section", "[t] # of t\n\n[u]\n", "t.a", "1", "[t] # of t\na = 1\n\n[u]\n"},
		{"windows line ends", "[t]\r\na = 1\r\n\r\n[u]\r\n", "t.b", "2", "[t]\r\na = 1\r\nb = 2\r\n\r\n[u]\r\n"},
		{"no last line end", "[t]\na = 1 # x", "t.b", "2", "[t]\na = 1 # x\nb = 2"},
		{"after a long value", "[t]\na = [\n  1,\n]\n[u]\n", "t.b", "2", "[t]\na = [\n  1,\n]\nb = 2\n[u]\n"},
		{"dotted", "'t'.a = 1\nx = 1\n[u]\n", "t.b", "2", "'t'.a = 1\n't'.b = 2\nx = 1\n[u]\n"},
		{"dotted, deep", "[s]\n  t . u.a = 1\n", "s.t.u.b.c", "2", "[s]\n  t . u.a = 1\n  t . u.b.c = 2\n"},
		{"in empty braces", "t = {}", "t.a", "1", "t = { a = 1 }"},
		{"in braces", "t = {a = 1} # x\n", "t.b.c", "2", "t = {a = 1, b = { c = 2 }} # x\n"},
		{"in braces, dotted", "t = {a.b = 1, c = 2}\n", "t.a.d", "3", "t = {a.b = 1, c = 2, a.d = 3}\n"},
		{"in braces on lines", "t = {\n  a = 1, # x\n}\n", "t.b", "2", "t = {\n  a = 1, # x\n  b = 2,\n}\n"},
		{"that needs quotes", "[t]\n", "t.a b", "1", "[t]\n\"a b\" = 1\n"},
		{"to the right item", "[[p]]\nn = 1\n\n[[p]]\nn = 2\n", "p.#0.m", "3", "[[p]]\nn = 1\nm = 3\n\n[[p]]\nn = 2\n"},
	})
}

func TestSetAddsATable(t *testing.T) {
	runSet(t, []setCase{
		{"to nothing", "", "t.a", "1", "[t]\na = 1\n"},
		{"at the end", "x = 1\n# the end\n", "t.a", "1", "x = 1\n# the end\n\n[t]\na = 1\n"},
		{"at an end without line end", "x = 1", "t.a", "1", "x = 1\n\n[t]\na = 1"},
		{"at an end that is blank", "x = 1\n\n", "t.a", "1", "x = 1\n\n[t]\na = 1\n"},
		{"in a dense file", "x = 1\n[u]\n\tb = 1\n", "t.a", "1", "x = 1\n[u]\n\tb = 1\n[t]\n\ta = 1\n"},
		{"dotted where tables are", "x.y = 1\n", "t.a", "1", "x.y = 1\nt.a = 1\n"},
		{"two deep", "[u]\nb = 1\n", "t.a.b", "1", "[u]\nb = 1\n\n[t]\na = { b = 1 }\n"},
		{"within a table", "[t]\na = 1\n", "t.b.c", "2", "[t]\na = 1\nb = { c = 2 }\n"},
		{"known from its own tables", "[t.'u']\na = 1\n\n[x]\n", "t.b", "2", "[t.'u']\na = 1\n\n[t]\nb = 2\n\n[x]\n"},
		{"the same in an item", "[[p]]\n[p.t.u]\na = 1\n[[p]]\n", "p.#0.t.b", "2", "[[p]]\n[p.t.u]\na = 1\n[p.t]\nb = 2\n[[p]]\n"},
		{"the first item", "x = 1\n", "p.#0.n", "1", "x = 1\n\n[[p]]\nn = 1\n"},
		{"a further item", "[['p']]\nn = 1\n[p.s]\n# s\n\n[q]\n", "p.#1.n", "2", "[['p']]\nn = 1\n[p.s]\n# s\n[['p']]\nn = 2\n\n[q]\n"},
		{"a further item before a comment", "[q]\n[[p]]\nn = 1\n# of x\n[x]\n", "p.#1.n", "2", "[q]\n[[p]]\nn = 1\n[[p]]\nn = 2\n# of x\n[x]\n"},
		{"an item of a value", "p = [{n = 1}]\n", "p.#1.n", "2", "p = [{n = 1}, { n = 2 }]\n"},
		{"an item on a line", "p = [\n  {n = 1}, # one\n  # two\n]\n", "p.#1.n", "2", "p = [\n  {n = 1}, # one\n  { n = 2 },\n  # two\n]\n"},
		{"the first without a comma", "p = [\n  1 # one\n]", "p.#1", "2", "p = [\n  1, # one\n  2\n]"},
		{"a scalar item", "p = [1, 2]", "p.#2", "3", "p = [1, 2, 3]"},
		{"an item of nothing", "p = [ ]", "p.#0", "3", "p = [3 ]"},
		{"an array", "[t]\n", "p.#0", "3", "p = [3]\n\n[t]\n"},
	})
}

func runSet(t *testing.T, tests []setCase) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.before))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Set(steps(tt.path), tt.value); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(d.Bytes())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got, ok := d.Value(steps(tt.path)); !ok || got != tt.value {
				t.Errorf("Value = %q, %v; want %q", got, ok, tt.value)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	for _, tt := range []struct{ name, before, path, value, want string }{
		{"a table", "[t]\na = 1\n", "t", "1", "t is a table; set its keys"},
		{"tables", "[[t]]\na = 1\n", "t", "1", "t is a table; set its keys"},
		{"a key of a value", "t = 1\n", "t.a", "1", "t is a value and has no a"},
		{"a key of an array", "t = [1]\n", "t.a", "1", "t is an array and has no a"},
		{"an item that is too far", "t = [1]\n", "t.#2", "1", "t is an array and has no [2]"},
		{"an item of a table", "[t]\n", "t.#0", "1", "t is a table and no array"},
		{"a scalar among tables", "[[t]]\na = 1\n", "t.#1", "1", "an item of an array of tables must be a table; set its keys"},
		{"no value", "", "a", "", "not a TOML value"},
		{"more than a value", "", "a", "1\nb = 2", "not a TOML value: 1\nb = 2: there is more than a value"},
		{"a comment", "", "a", "1 # x", "there is more than a value"},
		{"half a string", "", "a", `"x`, "not a TOML value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.before))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Set(steps(tt.path), tt.value); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Set = %v, want %q", err, tt.want)
			}
			if got := string(d.Bytes()); got != tt.before {
				t.Errorf("changed to %q", got)
			}
		})
	}
}
