package tomledit

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnset(t *testing.T) {
	for _, tt := range []struct{ name, before, path, after string }{
		{"a line", "a = 1 # one\nb = 2\n", "a", "b = 2\n"},
		{"the comment above stays", "# of a\na = 1\nb = 2\n", "a", "# of a\nb = 2\n"},
		{"the last key of all", "a = 1\n", "a", ""},
		{"the last line, without end", "a = 1\r\nb = 2", "b", "a = 1"},
		{"between blank lines", "a = 1\n\nb = 2\n\nc = 3\n", "b", "a = 1\n\nc = 3\n"},
		{"a long value", "a = '''\nx\n''' # one\nb = 2\n", "a", "b = 2\n"},
		{"the last key of a section", "a = 1\n\n[t]\nb = 2\n\n[u]\nc = 3\n", "t.b", "a = 1\n\n[u]\nc = 3\n"},
		{"the last section", "a = 1\n\n[t]\nb = 2\n", "t.b", "a = 1\n"},
		{"the first section", "[t]\nb = 2\n\n[u]\n", "t.b", "[u]\n"},
		{"a header with a comment", "[t] # of t\nb = 2\n\n[u]\n", "t.b", "[t] # of t\n\n[u]\n"},
		{"a comment below", "[t]\nb = 2\n# c = 3\n\n[u]\n", "t.b", "[t]\n# c = 3\n\n[u]\n"},
		{"the next header's comment stays", "[t]\nb = 2\n\n# of u\n[u]\n", "t.b", "# of u\n[u]\n"},
		{"a whole section", "[t]\n# one\nb = 2\nc = 3\n# end\n\n[u]\n", "t", "# end\n\n[u]\n"},
		{"a section with others in it", "[t]\na = 1\n[x]\n[t.u]\nb = 1\n[y]\n", "t", "[x]\n[y]\n"},
		{"dotted keys", "t.a = 1\nx = 1\nt.b = 2\n", "t", "x = 1\n"},
		{"the last dotted key", "t.u.a = 1\nx = 1\n", "t.u.a", "x = 1\n"},
		{"an item", "[[p]]\nn = 1\n\n[[p]] # two\nn = 2\n\n[q]\n", "p.#1", "[[p]]\nn = 1\n\n[q]\n"},
		{"an item with tables", "[[p]]\nn = 1\n[p.s]\nm = 1\n[[p]]\nn = 2\n", "p.#0", "[[p]]\nn = 2\n"},
		{"the only item", "x = 1\n\n[[p]]\nn = 1\n", "p.#0", "x = 1\n"},
		{"all items", "[[p]]\nn = 1\n\n[x]\n\n[[p]]\nn = 2\n", "p", "[x]\n"},
		{"two items in a row at the end", "x = 1\n\n[[p]]\nn = 1\n\n[[p]]\nn = 2", "p", "x = 1"},
		{"in braces", "t = { a = 1, b = 2 } # x\n", "t.a", "t = { b = 2 } # x\n"},
		{"the last in braces", "t = { a = 1, b = 2 }\n", "t.b", "t = { a = 1 }\n"},
		{"the only one in braces", "t = { a = 1 }\nx = 1\n", "t.a", "x = 1\n"},
		{"dotted in braces", "t = { a.b = 1, c = 2, a.d = 3 }\n", "t.a", "t = { c = 2 }\n"},
		{"all but the first in braces", "t = { c = 2, a.b = 1, a.d = 3 }\n", "t.a", "t = { c = 2 }\n"},
		{"an item on its line", "p = [\n  1, # one\n  # of two\n  2, # two\n]\n", "p.#1", "p = [\n  1, # one\n  # of two\n]\n"},
		{"the last item without a comma", "p = [\n  1, # one\n  2\n]\n", "p.#1", "p = [\n  1 # one\n]\n"},
		{"the first of a line", "p = [1, 2]", "p.#0", "p = [2]"},
		{"the first after the bracket", "p = [1,\n  2,\n]", "p.#0", "p = [\n  2,\n]"},
		{"the only one with a comment", "p = [\n  1, # one\n]\n", "p.#0", "p = [\n]\n"},
		{"a comma far away", "p = [1 # one\n , 2]", "p.#0", "p = [ # one\n  2]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.before))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Unset(steps(tt.path)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(d.Bytes())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestUnsetOfWhatIsNotThere(t *testing.T) {
	for _, path := range []string{"b", "a.b", "t.b", "p.#1", "t.a.#0"} {
		d, err := Parse([]byte("a = 1\np = [1]\n[t]\na = 2\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Unset(steps(path)); !errors.Is(err, ErrAbsent) {
			t.Errorf("Unset(%s) = %v, want ErrAbsent", path, err)
		}
		if d.Has(steps(path)) || !d.Has(steps("t.a")) {
			t.Errorf("Has(%s)", path)
		}
	}
}
