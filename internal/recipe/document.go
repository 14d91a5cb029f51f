package recipe

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"vmctl/internal/hint"
	"vmctl/internal/tomledit"
)

// Document is the text of a recipe that is being changed. What a change does not mean
// stays as it is to the byte: see package tomledit. The keys are those of Apply:
//
//	resources.memory   env.VERSION   lifecycle.idle.after   secrets.PASSWORD.file
//	ports.viewer.host  disks.games.size  mounts./oem.source  (by name or target)
//
// and cpus, memory and disk for those of resources.
type Document struct {
	text *tomledit.Document
	name string
}

// NewDocument reads the text of a recipe; name is for problems, as for Parse. It may be
// an invalid recipe, but must be TOML: the error is Problems.
func NewDocument(data []byte, name string) (*Document, error) {
	if _, problems := parseTree(data, name); len(problems) > 0 {
		return nil, problems
	}
	text, err := tomledit.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Document{text: text, name: name}, nil
}

// Bytes is the text now.
func (d *Document) Bytes() []byte { return d.text.Bytes() }

// Set writes a key. value is what a file would have without quotes; a value in brackets
// or braces may be an array or an inline table. It is written as the type that the schema
// wants, and like the one before where that will do. An item of ports, disks or mounts
// that is not there is made, and so is a table. What must not be there besides is taken
// out: env.NAME when secrets.NAME is set, the other sources of that secret, and the
// reverse. Whether the recipe is right with that is for Parse or a File to say. An error
// is Problems, and leaves the document as it was.
func (d *Document) Set(key, value string) error {
	return d.change(key, func(changed *Document) error { return changed.set(key, value) })
}

// Unset takes a key out, or an item of an array by its name. One that only the recipe
// below has is written to the list of unset. An error is Problems, and leaves the document
// as it was.
func (d *Document) Unset(key string) error {
	return d.change(key, func(changed *Document) error { return changed.unset(key) })
}

func (d *Document) change(key string, change func(*Document) error) error {
	changed, err := NewDocument(d.Bytes(), d.name)
	if err != nil {
		return err
	}
	if err := change(changed); err != nil {
		problems := Problems{{Field: key, Message: err.Error()}}
		if h := hint.Of(err); h != "" {
			return hint.With(problems, "%s", h)
		}
		return problems
	}
	*d = *changed
	return nil
}

func (d *Document) set(key, value string) error {
	if !utf8.ValidString(key) || !utf8.ValidString(value) {
		return errors.New("is not UTF-8 text")
	}
	at, err := d.place(key, true)
	if err != nil {
		return err
	}
	if at.item && at.field == "" {
		return fmt.Errorf("is a table; write %s.KEY", key)
	}
	if at.missing() && at.field != identityKey(at.table) {
		if err := d.text.Set(at.identity(), tomledit.String(at.name)); err != nil {
			return err
		}
	}
	if err := d.write(at.path, value); err != nil {
		return err
	}
	for _, rival := range at.rivals {
		if err := d.text.Unset(rival); err != nil && !errors.Is(err, tomledit.ErrAbsent) {
			return err
		}
	}
	return nil
}

func (d *Document) unset(key string) error {
	at, err := d.place(key, false)
	if err != nil {
		return err
	}
	err = d.text.Unset(at.path)
	switch {
	case !errors.Is(err, tomledit.ErrAbsent):
		return err
	case at.item && at.field != "":
		return hint.With(errors.New("is not in the recipe"), "of the recipe that is extended, only a whole item can be taken out: %s.%s", at.table, at.name)
	}
	return d.unsetBelow(at.key)
}

// unsetBelow takes a key out of the recipe that is extended.
func (d *Document) unsetBelow(key string) error {
	tree, problems := parseTree(d.Bytes(), d.name)
	if len(problems) > 0 {
		return problems
	}
	if tree.fields[extendsKey] == nil {
		return errors.New("is not in the recipe")
	}
	n := 0
	if list := tree.fields[unsetKey]; list != nil {
		if slices.ContainsFunc(list.items, func(v *value) bool { return v.text == key }) {
			return errors.New("is taken out already")
		}
		n = len(list.items)
	}
	return d.text.Set(tomledit.Path{tomledit.Key(unsetKey), tomledit.Item(n)}, tomledit.String(key))
}

// place is where a key of Apply's grammar is in a document.
type place struct {
	key    string // without short forms
	path   tomledit.Path
	rivals []tomledit.Path // what means the same, and goes when this is set

	// Of an array of tables with names:
	item  bool
	table string
	name  string
	field string // "" for the whole item
	index int
	count int // of the items that there are
}

func (p place) missing() bool { return p.item && p.index == p.count }

// identity is the path of what names the item.
func (p place) identity() tomledit.Path {
	return tomledit.Path{tomledit.Key(p.table), tomledit.Item(p.index), tomledit.Key(identityKey(p.table))}
}

// identityKey is what names an item that is made. Devices have several and are not made.
func identityKey(table string) string {
	return map[string]string{"ports": "name", "disks": "name", "mounts": "target"}[table]
}

// itemKeys are the keys of an item.
func itemKeys(table string) []string {
	for _, f := range recipeFields(&Recipe{}) {
		if f.name == table && f.shape.items != nil {
			return namesOf(f.shape.items.fields)
		}
	}
	return nil
}

// place reads a key; setting tells that it is to get a value.
func (d *Document) place(key string, setting bool) (place, error) {
	table, rest, deeper := strings.Cut(key, ".")
	switch {
	case key == "cpus" || key == "memory" || key == "disk":
		return d.place("resources."+key, setting)
	case key == "" || strings.HasSuffix(key, ".") || deeper && table == "":
		return place{}, fmt.Errorf("not a key: %q; write one such as resources.memory", key)
	case deeper && identities(table) != nil:
		return d.placeItem(table, rest, setting)
	case deeper && table == "env":
		return place{key: key, path: tomledit.Keys("env", rest), rivals: []tomledit.Path{tomledit.Keys("secrets", rest)}}, nil
	}
	steps := strings.Split(key, ".")
	p := place{key: key, path: tomledit.Keys(steps...)}
	if table == "secrets" && len(steps) == 3 {
		p.rivals = []tomledit.Path{tomledit.Keys("env", steps[1])}
		for _, source := range []string{"file", "env", "command", "keyring"} {
			if source != steps[2] {
				p.rivals = append(p.rivals, tomledit.Keys("secrets", steps[1], source))
			}
		}
	}
	return p, nil
}

// placeItem reads "NAME" or "NAME.KEY" below an array of tables. Names may have dots: what
// is set has a key behind the last one; what is taken out, if there is that item, or in the
// schema that key.
func (d *Document) placeItem(table, rest string, setting bool) (place, error) {
	tree, problems := parseTree(d.Bytes(), d.name)
	if len(problems) > 0 {
		return place{}, problems
	}
	p := place{key: table + "." + cleanTarget(table, rest), item: true, table: table}
	var items []*value
	if list := tree.fields[table]; list != nil {
		items = list.items
	}
	p.count = len(items)
	find := func(name string) int {
		return slices.IndexFunc(items, func(v *value) bool { return identities(table)(v) == cleanTarget(table, name) })
	}
	p.name, p.index = rest, find(rest)
	dot := strings.LastIndex(rest, ".")
	if p.index < 0 && dot > 0 {
		inner := find(rest[:dot])
		if setting || inner >= 0 || slices.Contains(itemKeys(table), rest[dot+1:]) {
			p.name, p.field, p.index = rest[:dot], rest[dot+1:], inner
		}
	}
	if p.index < 0 {
		p.index = p.count
	}
	if p.missing() && p.field != "" && identityKey(table) == "" {
		return place{}, hint.With(errors.New("is not in the recipe"), "write a new one with: vmctl recipes edit")
	}
	p.path = tomledit.Path{tomledit.Key(table), tomledit.Item(p.index)}
	if p.field != "" {
		p.path = append(p.path, tomledit.Key(p.field))
	}
	return p, nil
}

// cleanTarget writes a mount's target as mountIdentity does.
func cleanTarget(table, name string) string {
	if table == "mounts" {
		return path.Clean(name)
	}
	return name
}
