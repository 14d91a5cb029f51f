package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// reader turns values into fields of a recipe and collects all that is wrong.
type reader struct {
	file     string // for problems whose place is not known
	base     string // directory for relative paths of values that have no file
	problems Problems
	places   map[string]position // of every key that was read
}

// field is one key of a table: its name, and how its value is read.
type field struct {
	name string
	read func(r *reader, path string, v *value)
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

// table reads the fields of a table; keys that are not among them are problems.
func (r *reader) table(path string, v *value, fields []field) {
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

// text reads a string.
func text(dst *string) func(*reader, string, *value) {
	return parsed(dst, "a string", func(s string) (string, error) { return s, nil }, unstable.String)
}

// parsed reads a value of one of kinds through parse.
func parsed[T any](dst *T, want string, parse func(string) (T, error), kinds ...unstable.Kind) func(*reader, string, *value) {
	return func(r *reader, path string, v *value) {
		if !v.loose && !slices.Contains(kinds, v.kind) {
			r.report(path, "must be %s, not %s", want, v.describe())
			return
		}
		literal := v.text
		if v.kind == unstable.Integer {
			literal = decimal(literal)
		}
		result, err := parse(literal)
		if err != nil {
			r.report(path, "%v", err)
			return
		}
		*dst = result
	}
}

// decimal writes a TOML integer (0x10, 1_000) in base ten.
func decimal(literal string) string {
	n, err := strconv.ParseInt(strings.ReplaceAll(literal, "_", ""), 0, 64)
	if err != nil {
		return literal
	}
	return strconv.FormatInt(n, 10)
}

// choice reads one of a few words.
func choice[T ~string](dst *T, choices ...T) func(*reader, string, *value) {
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	parse := func(s string) (T, error) {
		if slices.Contains(words, s) {
			return T(s), nil
		}
		return "", fmt.Errorf("must be %s, not %q%s", orList(words), s, didYouMean(s, words))
	}
	return parsed(dst, orList(words), parse, unstable.String)
}

// boolean reads true or false.
func boolean(dst *bool) func(*reader, string, *value) {
	return func(r *reader, path string, v *value) {
		b, err := strconv.ParseBool(v.text)
		if err != nil || v.kind != unstable.Bool && !v.loose {
			r.report(path, "must be true or false, not %s", v.describe())
			return
		}
		*dst = b
	}
}

// duration reads a Go duration such as "120s" or "2m".
func duration(dst *time.Duration) func(*reader, string, *value) {
	parse := func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, fmt.Errorf(`not a duration: %q; write one such as "120s" or "2m"`, s)
		}
		if d <= 0 {
			return 0, fmt.Errorf(`must be longer than nothing, not %q`, s)
		}
		return d, nil
	}
	return parsed(dst, `a duration such as "120s"`, parse, unstable.String)
}

// array calls read for each item.
func array(read func(r *reader, path string, item *value)) func(*reader, string, *value) {
	return func(r *reader, path string, v *value) {
		if v.kind != unstable.Array {
			r.report(path, "must be an array of tables, not %s", v.describe())
			return
		}
		for i, item := range v.items {
			at := fmt.Sprintf("%s[%d]", path, i)
			r.places[at] = item.at
			read(r, at, item)
		}
	}
}
