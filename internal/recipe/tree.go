package recipe

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// position is a place in a file. The zero value is no place.
type position struct {
	file         string
	line, column int
}

// value is a node of a TOML document that knows where it came from. go-toml's
// decoder stops at the first wrong type; reading this tree does not.
type value struct {
	kind   unstable.Kind // String, Integer, ..., Array or Table
	text   string        // of a scalar: the string itself, or the literal
	loose  bool          // from a command line: the text may mean any type
	at     position      // of the key, or of the item in an array
	keys   []string      // of a table, in the order of the file
	fields map[string]*value
	items  []*value // of an array
}

func newTable(at position) *value {
	return &value{kind: unstable.Table, at: at, fields: map[string]*value{}}
}

func (v *value) isTable() bool { return v.kind == unstable.Table }

// put adds a field to a table.
func (v *value) put(key string, field *value) {
	if _, ok := v.fields[key]; !ok {
		v.keys = append(v.keys, key)
	}
	v.fields[key] = field
}

// parseTree reads a document. A syntax error is the only problem then: what comes
// after it cannot be trusted.
func parseTree(data []byte, file string) (*value, Problems) {
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		return nil, Problems{{File: file, Line: 1, Column: 1, Message: "begins with a byte order mark; save it as UTF-8 without one"}}
	}
	var probe map[string]any // go-toml sees keys that are defined twice only here
	if err := toml.Unmarshal(data, &probe); err != nil {
		return nil, Problems{syntaxProblem(err, file)}
	}
	b := &treeBuilder{lines: lineStarts(data), file: file, root: newTable(position{file, 1, 1})}
	b.parser.Reset(data)
	b.table = b.root
	for b.parser.NextExpression() {
		b.expression(b.parser.Expression())
	}
	if err := b.parser.Error(); err != nil {
		return nil, Problems{syntaxProblem(err, file)}
	}
	return b.root, nil
}

func syntaxProblem(err error, file string) Problem {
	p := Problem{File: file, Message: strings.TrimPrefix(err.Error(), "toml: ")}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		p.Line, p.Column = decode.Position()
		p.Field = strings.Join(decode.Key(), ".")
	}
	return p
}

// treeBuilder turns go-toml's expressions into one tree.
type treeBuilder struct {
	parser unstable.Parser
	file   string
	lines  []int // offset of each line's first byte
	root   *value
	table  *value // the one that the last [header] opened
}

func (b *treeBuilder) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.KeyValue:
		b.keyValue(b.table, e)
	case unstable.Table:
		b.table = b.descend(b.root, e.Key())
	case unstable.ArrayTable:
		b.table = b.appendTable(e.Key())
	}
}

// descend walks a dotted key from table, making the tables that are not there. In
// an array of tables the last one is meant.
func (b *treeBuilder) descend(table *value, key unstable.Iterator) *value {
	for key.Next() {
		table = b.child(table, key.Node())
	}
	return table
}

func (b *treeBuilder) child(table *value, key *unstable.Node) *value {
	next := table.fields[string(key.Data)]
	switch {
	case next == nil:
		next = newTable(b.place(key))
		table.put(string(key.Data), next)
	case next.kind == unstable.Array && len(next.items) > 0:
		next = next.items[len(next.items)-1]
	}
	if next.fields == nil { // not a table: go-toml has refused the document already
		return newTable(b.place(key))
	}
	return next
}

func (b *treeBuilder) appendTable(key unstable.Iterator) *value {
	parent := b.root
	for key.Next() {
		if !key.IsLast() {
			parent = b.child(parent, key.Node())
			continue
		}
		name := string(key.Node().Data)
		array := parent.fields[name]
		if array == nil {
			array = &value{kind: unstable.Array, at: b.place(key.Node())}
			parent.put(name, array)
		}
		array.items = append(array.items, newTable(b.place(key.Node())))
		return array.items[len(array.items)-1]
	}
	return parent
}

func (b *treeBuilder) keyValue(table *value, e *unstable.Node) {
	key := e.Key()
	for key.Next() {
		if !key.IsLast() {
			table = b.child(table, key.Node())
			continue
		}
		v := b.value(e.Value())
		v.at = b.place(key.Node())
		table.put(string(key.Node().Data), v)
	}
}

func (b *treeBuilder) value(n *unstable.Node) *value {
	v := &value{kind: n.Kind, text: string(n.Data), at: b.place(n)}
	switch n.Kind {
	case unstable.InlineTable:
		v = newTable(v.at)
		for it := n.Children(); it.Next(); {
			b.keyValue(v, it.Node())
		}
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			if it.Node().Kind != unstable.Comment {
				v.items = append(v.items, b.value(it.Node()))
			}
		}
	}
	return v
}

func (b *treeBuilder) place(n *unstable.Node) position {
	offset := int(n.Raw.Offset)
	line, exact := slices.BinarySearch(b.lines, offset)
	if exact {
		line++
	}
	return position{file: b.file, line: line, column: offset - b.lines[line-1] + 1}
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for rest, base := data, 0; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return starts
		}
		base += i + 1
		starts, rest = append(starts, base), rest[i+1:]
	}
}
