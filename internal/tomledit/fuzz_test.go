package tomledit

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzEdit changes, adds and removes at every place of any document: it works, nothing
// else changes, and what is added and removed again is gone.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		"# mine\na = 1 # one\n\n[t]\n  b = { c = [1, 2], d.e = 'x' }\n\n[[p]]\nn = 1\n[p.s]\nm = 2\n[[p]]\n",
		"a.b.c = 1\r\na.b.d = '''\r\n# x\r\n'''\r\n[a.e.f]\r\n[[a.e.g]]\r\n",
		"p = [ # x\n  { a = 1, }, # y\n\n  [ 2 # z\n , ]\n]\nq = {\n # c\n a = \"\", # d\n}",
		"\"\" = nan\n'a.b' = 1979-05-27\n[x.y]\n[x]\n[ x . \"#\" ] # ]\n",
		"a = 1\n\n\n[b]\n\n\n",
	} {
		f.Add([]byte(text), "key", `"[#]"`)
	}
	f.Fuzz(func(t *testing.T, data []byte, key, value string) {
		if _, err := Parse(data); err != nil || len(data) > 300 {
			return // not a document, or more places than there is time for
		}
		for _, path := range places(t, data) {
			replaced(t, data, path, value)
			added(t, data, path, key, value)
			removed(t, data, path)
		}
	})
}

func open(t *testing.T, data []byte) *Document {
	t.Helper()
	d, err := Parse(data)
	if err != nil {
		t.Fatalf("%v:\n%s", err, data)
	}
	return d
}

// places are the paths of all that a document has, the top included.
func places(t *testing.T, data []byte) []Path {
	var all []Path
	var walk func(n *node, path Path)
	walk = func(n *node, path Path) {
		all = append(all, path)
		for _, key := range n.keys {
			walk(n.fields[key], append(path[:len(path):len(path)], Key(key)))
		}
		for i, item := range n.items {
			walk(item, append(path[:len(path):len(path)], Item(i)))
		}
	}
	walk(open(t, data).root, nil)
	return all
}

func replaced(t *testing.T, data []byte, path Path, value string) {
	d := open(t, data)
	old, ok := d.Value(path)
	if _, err := decodeValue(value); err != nil || !ok {
		return
	}
	if err := d.Set(path, value); err != nil {
		t.Fatalf("Set(%s, %s): %v:\n%q", path, value, err, data)
	}
	if before, after := common(data, d.Bytes()); before+after < len(data)-len(old) {
		t.Errorf("Set(%s, %s) changes more than the value:\n%q\n%q", path, value, data, d.Bytes())
	}
	if got, _ := d.Value(path); got != value {
		t.Errorf("Set(%s, %s): Value = %s", path, value, got)
	}
}

func added(t *testing.T, data []byte, path Path, key, value string) {
	d := open(t, data)
	n, _ := d.find(path)
	step := Key(key)
	if n.kind == array {
		step = Item(len(n.items))
	}
	inner := append(path[:len(path):len(path)], step)
	if _, err := decodeValue(value); err != nil || n.kind == scalar || d.Has(inner) || !bytes.Equal([]byte(key), bytes.ToValidUTF8([]byte(key), nil)) {
		return
	}
	if n.kind == array && !n.inline() {
		inner = append(inner, Key(key))
	}
	if err := d.Set(inner, value); err != nil {
		t.Fatalf("Set(%s, %s): %v:\n%q", inner, value, err, data)
	}
	if !subsequence(data, d.Bytes()) {
		t.Errorf("Set(%s, %s) takes something out:\n%q\n%q", inner, value, data, d.Bytes())
	}
	if got, _ := d.Value(inner); got != value {
		t.Errorf("Set(%s, %s): Value = %s", inner, value, got)
	}
	if err := d.Unset(inner); err != nil {
		t.Errorf("Unset(%s): %v:\n%q", inner, err, d.Bytes())
	}
}

func removed(t *testing.T, data []byte, path Path) {
	d := open(t, data)
	n, _ := d.find(path)
	if err := d.Unset(path); err != nil && (len(path) > 0 || !errors.Is(err, ErrAbsent)) {
		t.Fatalf("Unset(%s): %v:\n%q", path, err, data)
	}
	if !subsequence(d.Bytes(), data) {
		t.Errorf("Unset(%s) puts something in:\n%q\n%q", path, data, d.Bytes())
	}
	if n.entry != nil && n.kind == scalar && n.entry.within == nil && comments(d.Bytes()) != comments(data)-inside(data[n.entry.start:n.entry.end]) {
		t.Errorf("Unset(%s) loses a comment:\n%q\n%q", path, data, d.Bytes())
	}
}

// common counts the bytes that two texts have in common at their ends.
func common(a, b []byte) (before, after int) {
	for before < min(len(a), len(b)) && a[before] == b[before] {
		before++
	}
	for after < min(len(a), len(b))-before && a[len(a)-1-after] == b[len(b)-1-after] {
		after++
	}
	return before, after
}

// subsequence tells that b is a with something put in.
func subsequence(a, b []byte) bool {
	for _, c := range b {
		if len(a) > 0 && a[0] == c {
			a = a[1:]
		}
	}
	return len(a) == 0
}

// comments counts the lines that are a comment, or look like one.
func comments(data []byte) int { return inside([]byte("\n" + string(data))) }

func inside(data []byte) int {
	n := 0
	for i, line := range strings.Split(string(data), "\n") {
		if i > 0 && strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			n++
		}
	}
	return n
}
