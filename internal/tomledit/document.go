package tomledit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ErrAbsent is returned by Unset for what the document does not have.
var ErrAbsent = errors.New("not there")

// Document is TOML text that is being changed. A change that fails leaves it as it was.
type Document struct{ *layout }

// Parse reads a document. The error is go-toml's: a *toml.DecodeError has the place.
// The bytes are copied.
func Parse(data []byte) (*Document, error) {
	l, err := newLayout(bytes.Clone(data))
	if err != nil {
		return nil, err
	}
	return &Document{l}, nil
}

// Bytes is the text now.
func (d *Document) Bytes() []byte { return slices.Clip(d.data) }

// Value is the text of a value as it is written, quotes included. It is false where
// there is none, also for tables that have headers or dotted keys.
func (d *Document) Value(path Path) (string, bool) {
	n, rest := d.find(path)
	if len(rest) > 0 || !n.inline() {
		return "", false
	}
	return d.text(n.value), true
}

// Has tells whether there is a value or a table at the path.
func (d *Document) Has(path Path) bool {
	_, rest := d.find(path)
	return len(rest) == 0
}

// Set writes a value at the path, making what is missing on the way. value is TOML
// text: `"8G"`, `4`, `["a", "b"]`. A table of sections is not replaced: that is an
// error, and so is a path that leads through something that is no table.
func (d *Document) Set(path Path, value string) error {
	want, err := decodeValue(value)
	if err != nil {
		return fmt.Errorf("not a TOML value: %s: %w", value, err)
	}
	n, rest := d.find(path)
	var pieces []splice
	switch {
	case len(rest) > 0:
		pieces, err = d.insert(n, path[:len(path)-len(rest)], rest, value)
	case n.inline():
		pieces = []splice{{n.value, value}}
	default:
		err = fmt.Errorf("%s is a table; set its keys", path)
	}
	if err != nil {
		return err
	}
	return d.commit(pieces, func(tree any) any { return put(tree, path, want) })
}

// Unset takes out what is at the path, and then the tables and arrays around it that
// would be empty, unless there are comments in them. Without it, the error is ErrAbsent.
func (d *Document) Unset(path Path) error {
	_, rest := d.find(path)
	if len(rest) > 0 || len(path) == 0 {
		return fmt.Errorf("%s: %w", path, ErrAbsent)
	}
	last := len(path)
	for last > 1 && d.only(path[:last]) {
		last--
	}
	n, _ := d.find(path[:last])
	parent, _ := d.find(path[:last-1])
	return d.commit(d.remove(parent, n), func(tree any) any { return take(tree, path, last) })
}

// find follows a path as far as there is something. rest is what is left of it.
func (l *layout) find(path Path) (n *node, rest Path) {
	n = l.root
	for i, s := range path {
		var next *node
		switch {
		case s.index < 0 && n.kind == table:
			next = n.fields[s.key]
		case s.index >= 0 && s.index < len(n.items):
			next = n.items[s.index]
		}
		if next == nil {
			return n, path[i:]
		}
		n = next
	}
	return n, nil
}

// commit applies an edit if the new text means what the old one does after change.
func (d *Document) commit(pieces []splice, change func(tree any) any) error {
	old, err := decode(d.data)
	if err != nil {
		return err
	}
	data := spliced(d.data, pieces)
	now, err := decode(data)
	if err != nil {
		return fmt.Errorf("the changed text is not TOML: %w", err)
	}
	if !same(change(old), now) {
		return errors.New("the text cannot be changed without changing more than that; edit the file")
	}
	l, err := newLayout(data)
	if err != nil {
		return err
	}
	d.layout = l
	return nil
}
