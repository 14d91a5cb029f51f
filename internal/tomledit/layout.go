package tomledit

import (
	"bytes"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// span is a range of the text, in bytes.
type span struct{ start, end int }

type kind int

const (
	scalar kind = iota
	array
	table
)

// node is a value or a table, with the places where it is written.
type node struct {
	kind   kind
	value  span   // of one that is written as a value; empty otherwise
	entry  *entry // `key = value`, unless it is an item or a table of sections
	keys   []string
	fields map[string]*node // of a table
	items  []*node          // of an array

	members []span   // of an array or a table written as a value: what the commas part
	section *section // whose header names the table
	dotted  *entry   // the last one with the table in its dotted key ...
	depth   int      // ... as its first parts
}

// inline tells that the node is written as a value.
func (n *node) inline() bool { return n.value.end > 0 }

func (n *node) put(key string, field *node) {
	if _, ok := n.fields[key]; !ok {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = field
}

func newTable() *node { return &node{kind: table, fields: map[string]*node{}} }

// entry is a `key = value`.
type entry struct {
	span
	keys    []span   // the parts of its key
	value   span     // its value
	section *section // where it is, or ...
	within  *node    // ... the inline table, and which of its members it is
	member  int
}

// section is a header with the entries below it. The first one has no header.
type section struct {
	header  span   // from the first bracket to the last
	keys    []span // the parts of its key
	entries []*entry
}

// layout is a document with its places.
type layout struct {
	data     []byte
	root     *node
	sections []*section
}

// builder makes a layout of go-toml's expressions.
type builder struct {
	*layout
	parser unstable.Parser
	open   *node // the table of the last header
}

// newLayout reads a document. The error is go-toml's.
func newLayout(data []byte) (*layout, error) {
	var probe map[string]any // go-toml sees keys that are defined twice only here
	if err := toml.Unmarshal(data, &probe); err != nil {
		return nil, err
	}
	b := &builder{layout: &layout{data: data, root: newTable()}}
	b.begin(b.root, &section{})
	b.parser.Reset(data)
	for b.parser.NextExpression() {
		b.expression(b.parser.Expression())
	}
	return b.layout, b.parser.Error()
}

func (b *builder) begin(n *node, s *section) {
	n.section = s
	b.open, b.sections = n, append(b.sections, s)
}

func (b *builder) expression(e *unstable.Node) {
	if e.Kind == unstable.KeyValue {
		s := b.sections[len(b.sections)-1]
		entry := b.keyValue(b.open, e)
		entry.section = s
		s.entries = append(s.entries, entry)
		return
	}
	s, at := &section{}, b.root
	for key := e.Key(); key.Next(); {
		s.keys = append(s.keys, spanOf(key.Node()))
		name := string(key.Node().Data)
		if key.IsLast() && e.Kind == unstable.ArrayTable {
			at = appendTable(at, name)
		} else {
			at = child(at, name)
		}
	}
	brackets := 1
	if e.Kind == unstable.ArrayTable {
		brackets = 2
	}
	first, last := s.keys[0].start, s.keys[len(s.keys)-1].end
	s.header.start = bytes.LastIndexByte(b.data[:first], '[') + 1 - brackets
	s.header.end = last + bytes.IndexByte(b.data[last:], ']') + brackets
	b.begin(at, s)
}

// child is the table below a key, made where it is not there. In an array the last
// item is meant.
func child(at *node, name string) *node {
	next := at.fields[name]
	if next == nil {
		next = newTable()
		at.put(name, next)
	}
	if next.kind == array && len(next.items) > 0 {
		next = next.items[len(next.items)-1]
	}
	return next
}

func appendTable(at *node, name string) *node {
	list := at.fields[name]
	if list == nil {
		list = &node{kind: array}
		at.put(name, list)
	}
	item := newTable()
	list.items = append(list.items, item)
	return item
}

// keyValue reads an entry into a table.
func (b *builder) keyValue(at *node, e *unstable.Node) *entry {
	raw := spanOf(e)
	entry := &entry{span: raw}
	for key := e.Key(); key.Next(); {
		entry.keys = append(entry.keys, spanOf(key.Node()))
		name := string(key.Node().Data)
		if !key.IsLast() {
			at = child(at, name)
			at.dotted, at.depth = entry, len(entry.keys)
			continue
		}
		equals := bytes.IndexByte(b.data[spanOf(key.Node()).end:], '=')
		n := b.valueAt(e.Value(), b.skip(spanOf(key.Node()).end+equals+1))
		n.entry, entry.value = entry, n.value
		at.put(name, n)
	}
	return entry
}

// valueAt reads the value that begins at a place of the text.
func (b *builder) valueAt(v *unstable.Node, start int) *node {
	switch v.Kind {
	case unstable.InlineTable:
		n := newTable()
		for it := v.Children(); it.Next(); {
			entry := b.keyValue(n, it.Node())
			entry.within, entry.member = n, len(n.members)
			n.members = append(n.members, entry.span)
		}
		n.value = b.closed(start, n.members)
		return n
	case unstable.Array:
		n := &node{kind: array}
		at := start + 1
		for it := v.Children(); it.Next(); {
			item := b.valueAt(it.Node(), b.skip(at))
			at = item.value.end
			n.items, n.members = append(n.items, item), append(n.members, item.value)
		}
		n.value = b.closed(start, n.members)
		return n
	}
	return &node{kind: scalar, value: spanOf(v)}
}

// closed is the range of a bracket with its members up to the closing bracket.
func (b *builder) closed(start int, members []span) span {
	at := start + 1
	if len(members) > 0 {
		at = members[len(members)-1].end
	}
	return span{start, b.skip(at) + 1}
}

// skip goes over what may stand between values: white space, commas and comments.
func (l *layout) skip(at int) int {
	for at < len(l.data) {
		switch l.data[at] {
		case ' ', '\t', '\r', '\n', ',':
			at++
		case '#':
			at = l.lineEnd(at)
		default:
			return at
		}
	}
	return at
}

func spanOf(n *unstable.Node) span {
	return span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)}
}
