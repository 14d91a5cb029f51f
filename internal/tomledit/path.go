package tomledit

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Step is one step into a document: a key of a table, or an item of an array.
type Step struct {
	key   string
	index int // of an item; -1 for a key
}

// Key is the step to a table's key.
func Key(name string) Step { return Step{key: name, index: -1} }

// Item is the step to an array's item, counted from 0. The number of the items itself
// stands for one that is to be appended.
func Item(index int) Step { return Step{index: index} }

// Path leads from the top of a document to a value.
type Path []Step

// Keys is a path of keys only.
func Keys(names ...string) Path {
	p := make(Path, len(names))
	for i, name := range names {
		p[i] = Key(name)
	}
	return p
}

// String writes the path as TOML writes keys: `ports[1].host`.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case i > 0:
			b.WriteString("." + keyText(s.key))
		default:
			b.WriteString(keyText(s.key))
		}
	}
	return b.String()
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// keyText writes a key, in quotes where it needs them.
func keyText(key string) string {
	if bareKey.MatchString(key) {
		return key
	}
	return String(key)
}

// String writes a string as a TOML value: between double quotes, or as it is between
// single ones where that saves escapes.
func String(s string) string {
	if literal, ok := Literal(s); ok && strings.ContainsAny(s, `"\`) {
		return literal
	}
	return quoted(s)
}

// Literal writes a string between single quotes, if that can be.
func Literal(s string) (string, bool) {
	return "'" + s + "'", !strings.ContainsFunc(s, notLiteral)
}

// notLiteral reports what cannot stand between single quotes (TOML 1.0, "Literal
// strings").
func notLiteral(r rune) bool { return r == '\'' || r < ' ' && r != '\t' || r == 0x7f || r == '\uFFFD' }

// quoted writes a basic string.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u` + fourDigits(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func fourDigits(r rune) string {
	hex := strings.ToUpper(strconv.FormatInt(int64(r), 16))
	return strings.Repeat("0", 4-len(hex)) + hex
}

// wrap is the text of a value below steps that are not there yet: inline tables and
// arrays around it.
func wrap(steps Path, value string) string {
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].index >= 0 {
			value = "[" + value + "]"
		} else {
			value = "{ " + keyText(steps[i].key) + " = " + value + " }"
		}
	}
	return value
}
