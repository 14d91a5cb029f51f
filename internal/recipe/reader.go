package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// reader turns values into fields of a recipe and collects all that is wrong.
type reader struct {
	file     string // for problems whose place is not known
	base     string // directory for relative paths of values that have no file
	problems Problems
	places   map[string]position // of every key that was read
}

// field is one key of a table: its name, what it means, and how its value is written.
type field struct {
	name string
	doc  string
	form
}

// form is how a value is written: what an editor is told of it, and how it is read.
type form struct {
	shape shape
	read  func(r *reader, path string, v *value)
}

// report notes a problem at the place of path, or of the nearest table around it.
// A second problem with the same field, or within a field that could not be read, is
// dropped: it follows from the first.
func (r *reader) report(path, format string, args ...any) {
	for _, p := range r.problems {
		if p.Field != "" && (path == p.Field || strings.HasPrefix(path, p.Field+".") || strings.HasPrefix(path, p.Field+"[")) {
			return
		}
	}
	at := r.place(path)
	if at.file == "" {
		at.file = r.file
	}
	r.problems = append(r.problems, Problem{
		File: at.file, Line: at.line, Column: at.column, Field: path, Message: fmt.Sprintf(format, args...),
	})
}

func (r *reader) place(path string) position {
	for {
		if at, ok := r.places[path]; ok || path == "" {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// sorted returns the problems in the order of the file, or of each file.
func (r *reader) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column)
	})
	return r.problems
}

// readTable reads the fields of a table; keys that are not among them are problems.
func (r *reader) readTable(path string, v *value, fields []field) {
	r.places[path] = v.at
	if v.kind != unstable.Table {
		r.report(path, "must be a table, not %s", v.describe())
		return
	}
	for _, key := range v.keys {
		at := join(path, key)
		r.places[at] = v.fields[key].at
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key })
		if i < 0 {
			r.report(at, "unknown key; %s", suggestKey(path, key, fields))
			continue
		}
		fields[i].read(r, at, v.fields[key])
	}
}

// join appends a key to a path, quoted where it would read as two.
func join(path, key string) string {
	if strings.ContainsAny(key, ". []\n\t\"") || key == "" {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// describe names what was found, for messages.
func (v *value) describe() string {
	switch v.kind {
	case unstable.String:
		return "a string"
	case unstable.Integer:
		return "an integer"
	case unstable.Float:
		return "a number with a fraction"
	case unstable.Bool:
		return "a boolean"
	case unstable.Array:
		return "an array"
	case unstable.Table:
		return "a table"
	}
	return "a date or time"
}
