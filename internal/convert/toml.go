package convert

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// table is a part of a recipe's text: a header and its lines.
type table struct {
	header string // "[env]"; "" is the top
	lines  []string
}

// set adds a key with a value that is TOML already, and a comment or "".
func (t *table) set(key, value, comment string) {
	line := fmt.Sprintf("%s = %s", key, value)
	if comment != "" {
		line += " # " + comment
	}
	t.lines = append(t.lines, line)
}

// text adds a string.
func (t *table) text(key, value string) { t.set(key, tomlString(value), "") }

// writeTables joins tables, an empty line between them, and leaves out empty ones.
func writeTables(heading string, tables []table) []byte {
	var parts []string
	for _, t := range tables {
		if len(t.lines) == 0 {
			continue
		}
		lines := t.lines
		if t.header != "" {
			lines = append([]string{t.header}, lines...)
		}
		parts = append(parts, strings.Join(lines, "\n"))
	}
	return []byte(heading + strings.Join(parts, "\n\n") + "\n")
}

// tomlString writes a TOML string, in double quotes where nothing must be escaped.
func tomlString(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' || c == 0x7f }) {
		return `"` + s + `"`
	}
	data, err := toml.Marshal(map[string]string{"v": s})
	if err != nil { // a string: cannot happen
		return `""`
	}
	return strings.TrimPrefix(strings.TrimSuffix(string(data), "\n"), "v = ")
}

// quoteKey writes a key, in quotes where TOML needs them.
func quoteKey(key string) string {
	bare := key != "" && !strings.ContainsFunc(key, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
	})
	if bare {
		return key
	}
	return tomlString(key)
}

// quoteArray writes an array of strings.
func quoteArray(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = tomlString(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
