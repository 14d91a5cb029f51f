package recipe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// text is a string.
func text(dst *string) form {
	return parsed(dst, "a string", func(s string) (string, error) { return s, nil }, shape{types: []string{"string"}})
}

// parsed is a value that parse reads. want names it in messages. Its TOML types are
// those of the shape, and of also: those that parse refuses in better words.
func parsed[T any](dst *T, want string, parse func(string) (T, error), s shape, also ...unstable.Kind) form {
	return form{s, func(r *reader, path string, v *value) {
		if !v.loose && !s.allows(v.kind) && !slices.Contains(also, v.kind) {
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
	}}
}

// decimal writes a TOML integer (0x10, 1_000) in base ten.
func decimal(literal string) string {
	n, err := strconv.ParseInt(strings.ReplaceAll(literal, "_", ""), 0, 64)
	if err != nil {
		return literal
	}
	return strconv.FormatInt(n, 10)
}

// choice is one of a few words.
func choice[T ~string](dst *T, choices ...T) form {
	known := words(choices)
	parse := func(s string) (T, error) {
		if slices.Contains(known, s) {
			return T(s), nil
		}
		return "", fmt.Errorf("must be %s, not %q%s", orList(known), s, didYouMean(s, known))
	}
	return parsed(dst, orList(known), parse, shape{types: []string{"string"}, words: known})
}

// integer is a whole number from least to most.
func integer(dst *int, least, most int) form {
	want := fmt.Sprintf("a number from %d to %d", least, most)
	parse := func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("must be %s, not %s", want, s)
		}
		return n, nil
	}
	return parsed(dst, want, parse, shape{types: []string{"integer"}, least: least, most: most})
}

// boolean is true or false.
func boolean(dst *bool) form {
	return form{shape{types: []string{"boolean"}}, func(r *reader, path string, v *value) {
		b, err := strconv.ParseBool(v.text)
		switch {
		case err != nil && v.loose:
			r.report(path, "must be true or false, not %q", v.text)
			return
		case err != nil || v.kind != unstable.Bool && !v.loose:
			r.report(path, "must be true or false, not %s", v.describe())
			return
		}
		*dst = b
	}}
}

// duration is a Go duration such as "120s" or "2m".
func duration(dst *time.Duration) form {
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
	return parsed(dst, `a duration such as "120s"`, parse, shape{types: []string{"string"}, pattern: durationPattern})
}

// durationPattern is how package time writes a duration, without a sign.
const durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`

// table is a table with these keys.
func table(fields []field) form {
	return form{shape{types: []string{"object"}, fields: fields}, func(r *reader, path string, v *value) {
		r.readTable(path, v, fields)
	}}
}

// tables is an array of tables, each read into an item that begins as blank.
func tables[T any](dst *[]T, blank T, fields func(*T) []field) form {
	item := blank
	s := shape{types: []string{"array"}, items: &shape{types: []string{"object"}, fields: fields(&item)}}
	return form{s, func(r *reader, path string, v *value) {
		if v.kind != unstable.Array {
			r.report(path, "must be an array of tables, not %s", v.describe())
			return
		}
		for i, item := range v.items {
			at := fmt.Sprintf("%s[%d]", path, i)
			r.places[at] = item.at
			read := blank
			r.readTable(at, item, fields(&read))
			*dst = append(*dst, read)
		}
	}}
}

// list is an array of strings, or where alone says so a single one.
func list(dst *[]string, alone bool) form {
	item := shape{types: []string{"string"}}
	s, want := shape{types: []string{"array"}, items: &item}, "an array of strings"
	if alone {
		want = "a string or an array of strings"
		s = shape{either: []shape{item, s}}
	}
	return form{s, func(r *reader, path string, v *value) {
		switch {
		case v.loose, alone && v.kind == unstable.String:
			*dst = []string{v.text}
			return
		case v.kind != unstable.Array:
			r.report(path, "must be %s, not %s", want, v.describe())
			return
		}
		read := []string{}
		for i, item := range v.items {
			if item.kind != unstable.String {
				at := fmt.Sprintf("%s[%d]", path, i)
				r.places[at] = item.at
				r.report(at, "must be a string, not %s", item.describe())
				return
			}
			read = append(read, item.text)
		}
		*dst = read
	}}
}
