package tomledit

import (
	"bytes"
	"slices"
)

// remove takes a node out of its parent.
func (l *layout) remove(parent, n *node) []splice {
	if parent.kind == array && parent.inline() {
		return l.removeMembers(parent, slices.Index(parent.items, n))
	}
	sections, entries := l.written(n)
	var lines []span
	for _, s := range sections {
		lines = append(lines, l.lines(s))
	}
	var members []int
	for _, e := range entries {
		switch {
		case e.within != nil:
			parent, members = e.within, append(members, e.member)
		case !slices.Contains(sections, e.section):
			lines = append(lines, span{l.lineStart(e.start), l.lineEnd(e.end)})
		}
	}
	if len(members) > 0 {
		return l.removeMembers(parent, members...)
	}
	return l.removeLines(lines)
}

// written returns the headers of a node and of the tables in it, and the entries that
// write values of it.
func (l *layout) written(n *node) (sections []*section, entries []*entry) {
	if n.entry != nil {
		return nil, []*entry{n.entry}
	}
	if n.section != nil {
		sections = append(sections, n.section)
	}
	inner := slices.Clone(n.items)
	for _, key := range n.keys {
		inner = append(inner, n.fields[key])
	}
	for _, m := range inner {
		s, e := l.written(m)
		sections, entries = append(sections, s...), append(entries, e...)
	}
	return sections, entries
}

// only tells that the table or array around a path has nothing else, comments included.
func (l *layout) only(path Path) bool {
	around, _ := l.find(path[:len(path)-1])
	if len(around.keys)+len(around.items) != 1 {
		return false
	}
	switch {
	case around.inline():
		return !l.commentBetween(around.value, around.members)
	case around.section != nil:
		s := around.section
		region, lines := span{s.header.end, l.lines(s).end}, []span{}
		for region.end < len(l.data) && l.commented(region.end) {
			region.end = l.lineEnd(region.end)
		}
		for _, e := range s.entries {
			lines = append(lines, span{e.start, l.lineEnd(e.end)})
		}
		return !l.commentBetween(region, lines)
	}
	return true
}

// commentBetween tells whether a range has a comment outside of its parts, which are in
// order.
func (l *layout) commentBetween(whole span, parts []span) bool {
	at := whole.start
	for _, p := range append(slices.Clone(parts), span{whole.end, whole.end}) {
		if bytes.IndexByte(l.data[at:p.start], '#') >= 0 {
			return true
		}
		at = p.end
	}
	return false
}

// removeLines takes whole lines out, and with each run of them the blank lines that
// would then be double or at the end.
func (l *layout) removeLines(lines []span) []splice {
	slices.SortFunc(lines, func(a, b span) int { return a.start - b.start })
	var runs []span
	for _, s := range lines {
		if n := len(runs); n > 0 && s.start <= l.overBlank(runs[n-1].end) {
			runs[n-1].end = max(runs[n-1].end, s.end)
		} else {
			runs = append(runs, s)
		}
	}
	var pieces []splice
	for _, s := range runs {
		pieces = append(pieces, splice{l.tidy(s), ""})
	}
	return pieces
}

func (l *layout) overBlank(at int) int {
	for at < len(l.data) && l.blank(at) {
		at = l.lineEnd(at)
	}
	return at
}

func (l *layout) tidy(s span) span {
	if s.start == 0 || l.blank(l.lineStart(s.start-1)) {
		s.end = l.overBlank(s.end)
	}
	if s.end < len(l.data) {
		return s
	}
	for s.start > 0 && l.blank(l.lineStart(s.start-1)) {
		s.start = l.lineStart(s.start - 1)
	}
	if s.start > 0 && l.data[len(l.data)-1] != '\n' { // the new last line has no end either
		s.start = len(bytes.TrimSuffix(l.data[:s.start-1], []byte("\r")))
	}
	return s
}
