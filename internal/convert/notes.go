package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// remarks collects notes on the way.
type remarks []Note

func (r *remarks) add(where, format string, args ...any) {
	n := Note{Where: where, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(*r, n) {
		*r = append(*r, n)
	}
}

// carried marks a field in a table for rest: it is carried over elsewhere.
const carried = ""

// rest notes each field of v, a value with a JSON form, that is set and is not
// carried over. texts says why, or what to do, by the field's JSON name.
func (r *remarks) rest(where string, v any, texts map[string]string) {
	data, err := json.Marshal(v)
	if err != nil { // plain structs: cannot happen
		r.add(where, "%v", err)
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if empty(fields[name]) {
			continue
		}
		text, known := texts[name]
		switch {
		case !known:
			r.add(where+"."+name, "not carried over: a recipe has no such key")
		case text != carried:
			r.add(where+"."+name, "%s", text)
		}
	}
}

func empty(value json.RawMessage) bool {
	return slices.Contains([]string{"null", "{}", "[]", `""`, "false", "0"}, string(value))
}

// quoteList writes names for a message: "a", "b".
func quoteList(names []string) string {
	out := ""
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += strconv.Quote(n)
	}
	return out
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}
