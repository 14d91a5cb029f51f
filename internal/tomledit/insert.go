package tomledit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// insert writes a value below n, which is at the path. rest is what is missing.
func (l *layout) insert(n *node, path, rest Path, value string) ([]splice, error) {
	switch {
	case n.kind == scalar:
		return nil, fmt.Errorf("%s is a value and has no %s", path, rest)
	case n.kind == array && rest[0].index != len(n.items):
		return nil, fmt.Errorf("%s is an array and has no %s", path, rest)
	case n.kind == table && rest[0].index >= 0:
		return nil, fmt.Errorf("%s is a table and no array", path)
	case n.kind == array && n.inline():
		return l.appendMember(n, wrap(rest[1:], value)), nil
	case n.kind == array:
		return l.appendItem(n, rest[1:], value)
	case n.inline():
		return l.appendMember(n, keyText(rest[0].key)+" = "+wrap(rest[1:], value)), nil
	case n == l.root && len(rest) > 1 && !l.dottedTop():
		return l.newSection(rest, value), nil
	case n.section != nil:
		return []splice{l.newLine(n.section, rest, value)}, nil
	case n.dotted != nil:
		return l.newDotted(n, rest, value), nil
	}
	return l.nameSection(n, path, rest, value)
}

// dottedTop tells that the document writes tables as dotted keys: it has some, and no
// headers.
func (l *layout) dottedTop() bool {
	for _, e := range l.sections[0].entries {
		if len(e.keys) > 1 {
			return len(l.sections) == 1
		}
	}
	return false
}

// newLine writes a key after the last one of a section.
func (l *layout) newLine(s *section, rest Path, value string) splice {
	line := keyText(rest[0].key) + " = " + wrap(rest[1:], value)
	if s == l.sections[0] && l.dottedTop() {
		line = l.dottedLine("", rest, value)
	}
	if len(s.entries) > 0 {
		last := s.entries[len(s.entries)-1]
		return l.putLines(l.lineEnd(last.end), l.indent(last.start)+l.spaced(last, line))
	}
	if s == l.sections[0] {
		return l.firstLine(line)
	}
	return l.putLines(l.lineEnd(s.header.end), l.indent(s.header.start)+line)
}

// dottedLine writes as many steps as possible as one dotted key below prefix.
func (l *layout) dottedLine(prefix string, rest Path, value string) string {
	var keys []string
	for len(rest) > 0 && rest[0].index < 0 {
		keys, rest = append(keys, keyText(rest[0].key)), rest[1:]
	}
	return prefix + strings.Join(keys, ".") + " = " + wrap(rest, value)
}

// spaced writes a line without spaces around the equals sign where the one before it
// has none.
func (l *layout) spaced(like *entry, line string) string {
	if l.text(span{like.keys[len(like.keys)-1].end, like.value.start}) == "=" {
		return strings.Replace(line, " = ", "=", 1)
	}
	return line
}

// firstLine writes the first key at the top: after the comment that the file begins
// with, before the first header and its comment.
func (l *layout) firstLine(line string) splice {
	at := 0
	for at < len(l.data) && l.commented(at) {
		at = l.lineEnd(at)
	}
	if at == len(l.data) {
		return l.putLines(at, line)
	}
	if !l.blank(at) {
		return l.putLines(at, line, "")
	}
	for at < len(l.data) && l.blank(at) {
		at = l.lineEnd(at)
	}
	if at == len(l.data) {
		return l.putLines(at, line)
	}
	return l.putLines(at, line, "")
}

// newDotted writes a key after the last one of a table that has dotted keys only.
func (l *layout) newDotted(n *node, rest Path, value string) []splice {
	e := n.dotted
	prefix := l.text(span{e.start, e.keys[n.depth-1].end}) + "."
	line := l.dottedLine(prefix, rest, value)
	if e.within != nil {
		return l.appendMember(e.within, line)
	}
	return []splice{l.putLines(l.lineEnd(e.end), l.indent(e.start)+l.spaced(e, line))}
}

// newSection writes a new table, or the first item of a new array of tables, at the
// end of the document.
func (l *layout) newSection(rest Path, value string) []splice {
	header := "[" + keyText(rest[0].key) + "]"
	if rest[1].index >= 0 {
		if len(rest) == 2 {
			return []splice{l.newLine(l.sections[0], rest, value)}
		}
		header, rest = "["+header+"]", rest[1:]
	}
	return []splice{l.putSection(len(l.data), "", header, rest[1:], value)}
}

// appendItem writes a further item of an array of tables, after its last one.
func (l *layout) appendItem(n *node, rest Path, value string) ([]splice, error) {
	last := n.items[len(n.items)-1]
	if len(rest) == 0 || last.section == nil {
		return nil, errors.New("an item of an array of tables must be a table; set its keys")
	}
	sections, _ := l.written(last)
	header := last.section.header
	return []splice{l.putSection(l.sectionEnd(sections), l.indent(header.start), l.text(header), rest, value)}, nil
}

// nameSection gives a table that is known from the headers of its own tables a header
// of its own, after those.
func (l *layout) nameSection(n *node, path, rest Path, value string) ([]splice, error) {
	sections, _ := l.written(n)
	if len(sections) == 0 {
		return nil, fmt.Errorf("%s is written nowhere", path)
	}
	first := slices.MinFunc(sections, func(a, b *section) int { return a.header.start - b.header.start })
	level := 0
	for _, s := range path {
		if s.index < 0 {
			level++
		}
	}
	header := "[" + l.text(span{first.keys[0].start, first.keys[level-1].end}) + "]"
	return []splice{l.putSection(l.sectionEnd(sections), l.indent(first.header.start), header, rest, value)}, nil
}

// sectionEnd is the end of the last line that one of the sections has. Comments right
// below it count, unless the next header is right below them.
func (l *layout) sectionEnd(sections []*section) int {
	end := 0
	for _, s := range sections {
		end = max(end, l.lines(s).end)
	}
	below := end
	for below < len(l.data) && l.commented(below) {
		below = l.lineEnd(below)
	}
	if below == len(l.data) || l.blank(below) {
		return below
	}
	return end
}

// lines is the range of a section's lines, from its header to its last key.
func (l *layout) lines(s *section) span {
	end := s.header.end
	if len(s.entries) > 0 {
		end = s.entries[len(s.entries)-1].end
	}
	return span{l.lineStart(s.header.start), l.lineEnd(end)}
}

// putSection writes a header with one key at the beginning of a line.
func (l *layout) putSection(at int, indent, header string, rest Path, value string) splice {
	line := keyText(rest[0].key) + " = " + wrap(rest[1:], value)
	lines := []string{indent + header, indent + l.keyIndent() + line}
	if at > 0 && l.airy() && !l.blank(l.lineStart(at-1)) {
		lines = append([]string{""}, lines...)
	}
	return l.putLines(at, lines...)
}

// keyIndent is how far the document indents the keys of its first section.
func (l *layout) keyIndent() string {
	for _, s := range l.sections[1:] {
		if len(s.entries) > 0 {
			return strings.TrimPrefix(l.indent(s.entries[0].start), l.indent(s.header.start))
		}
	}
	return ""
}

// airy tells that the document leaves a line free before its headers.
func (l *layout) airy() bool {
	for _, s := range l.sections[1:] {
		if start := l.lineStart(s.header.start); start > 0 {
			return l.blankBefore(start)
		}
	}
	return true
}

// blankBefore tells that above a line, and the comment that belongs to it, is a blank one.
func (l *layout) blankBefore(start int) bool {
	for start > 0 {
		above := l.lineStart(start - 1)
		if !l.commented(above) {
			return l.blank(above)
		}
		start = above
	}
	return true
}
