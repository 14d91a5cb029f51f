package tomledit

import (
	"slices"
	"strings"
)

// Members are what commas part: the items of an array, the entries of an inline table.
// TOML 1.1 allows lines, comments and a last comma in both.

// appendMember writes a further member after the last one: on a line of its own if that
// is, or if a comment follows that.
func (l *layout) appendMember(n *node, text string) []splice {
	if len(n.members) == 0 {
		if n.kind == table {
			text = " " + text
			if n.value.start+2 == n.value.end {
				text += " "
			}
		}
		return []splice{{span{n.value.start + 1, n.value.start + 1}, text}}
	}
	last := n.members[len(n.members)-1]
	comma := l.comma(n, len(n.members)-1)
	after := l.afterMember(last, comma)
	commented := after < len(l.data) && l.data[after] == '#'
	if !commented && !l.alone(n, last) {
		return []splice{{span{last.end, last.end}, ", " + text}}
	}
	indent := l.indent(l.firstOnLine(last.start))
	if commented && comma < after {
		after = len(trimEOL(l.data[:l.lineEnd(after)]))
	} else {
		after = max(last.end, comma+1)
	}
	eol := l.newline(after)
	if comma < 0 && after == last.end {
		return []splice{{span{after, after}, "," + eol + indent + text}}
	}
	if comma < 0 {
		return []splice{{span{last.end, last.end}, ","}, {span{after, after}, eol + indent + text}}
	}
	return []splice{{span{after, after}, eol + indent + text + ","}}
}

// firstOnLine is the first place on a line that is not white space.
func (l *layout) firstOnLine(at int) int {
	at = l.lineStart(at)
	for l.data[at] == ' ' || l.data[at] == '\t' {
		at++
	}
	return at
}

func trimEOL(data []byte) []byte {
	for len(data) > 0 && (data[len(data)-1] == '\n' || data[len(data)-1] == '\r') {
		data = data[:len(data)-1]
	}
	return data
}

// comma is the place of the comma after a member, or -1 where the last one has none.
func (l *layout) comma(n *node, member int) int {
	for at := n.members[member].end; at < n.value.end; at++ {
		switch l.data[at] {
		case ',':
			return at
		case '#':
			at = l.lineEnd(at) - 1
		case ']', '}':
			return -1
		}
	}
	return -1
}

// afterMember is the first place after a member and its comma, on the same line, that is
// not white space.
func (l *layout) afterMember(member span, comma int) int {
	at := member.end
	for at < len(l.data) && (l.data[at] == ' ' || l.data[at] == '\t' || at == comma) {
		at++
	}
	return at
}

// alone tells that a member is the first on its line, which is not the bracket's.
func (l *layout) alone(n *node, member span) bool {
	start := l.firstOnLine(member.start)
	return start == member.start && start > n.value.start
}

// removeMembers takes members out with the commas that are too many then. A member that
// has lines of its own takes these with it.
func (l *layout) removeMembers(n *node, which ...int) []splice {
	var pieces []splice
	last := len(n.members) - 1
	kept := last // the last one that stays
	for slices.Contains(which, kept) {
		kept--
	}
	if kept >= 0 && kept < last && l.comma(n, last) < 0 {
		tail := span{n.members[kept].end, n.members[last].end}
		comma := l.comma(n, kept)
		if !strings.ContainsAny(l.text(tail), "#\n") {
			which = slices.DeleteFunc(slices.Clone(which), func(i int) bool { return i > kept })
			pieces = append(pieces, splice{tail, ""})
		} else {
			pieces = append(pieces, splice{span{comma, comma + 1}, ""})
		}
	}
	for _, i := range which {
		pieces = append(pieces, l.removeMember(n, i)...)
	}
	return pieces
}

func (l *layout) removeMember(n *node, i int) []splice {
	m, comma := n.members[i], l.comma(n, i)
	after := l.afterMember(m, comma)
	if l.alone(n, m) && after < n.value.end && (comma < 0 || comma < after) {
		if end := l.lineEnd(after); l.blank(after) || l.data[after] == '#' {
			return []splice{{span{l.lineStart(m.start), end}, ""}}
		}
	}
	switch {
	case comma < 0:
		return []splice{{m, ""}}
	case comma < after && after < n.value.end-1 && !l.blank(after):
		return []splice{{span{m.start, after}, ""}}
	case comma < after:
		return []splice{{span{m.start, comma + 1}, ""}}
	}
	return []splice{{m, ""}, {span{comma, comma + 1}, ""}}
}
