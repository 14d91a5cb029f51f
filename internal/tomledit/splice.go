package tomledit

import (
	"bytes"
	"slices"
	"strings"
)

// splice puts text in the place of a range.
type splice struct {
	span
	text string
}

// spliced returns the text with the pieces put in. They do not overlap.
func spliced(data []byte, pieces []splice) []byte {
	slices.SortStableFunc(pieces, func(a, b splice) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, p := range pieces {
		out = append(append(out, data[at:p.start]...), p.text...)
		at = p.end
	}
	return append(out, data[at:]...)
}

// lineStart is where the line of a place begins.
func (l *layout) lineStart(at int) int { return bytes.LastIndexByte(l.data[:at], '\n') + 1 }

// lineEnd is where the line after that of a place begins.
func (l *layout) lineEnd(at int) int {
	if i := bytes.IndexByte(l.data[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(l.data)
}

func (l *layout) text(s span) string { return string(l.data[s.start:s.end]) }

// indent is the white space before a place, which is the first on its line.
func (l *layout) indent(at int) string { return l.text(span{l.lineStart(at), at}) }

// newline is how lines end around a place.
func (l *layout) newline(at int) string {
	before := bytes.LastIndexByte(l.data[:at], '\n')
	if before < 0 {
		before = bytes.IndexByte(l.data, '\n')
	}
	if before > 0 && l.data[before-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// blank tells that there is nothing on the line that begins at a place.
func (l *layout) blank(start int) bool {
	return len(bytes.TrimSpace(l.data[start:l.lineEnd(start)])) == 0
}

// commented tells that the line that begins at a place has a comment and nothing else.
func (l *layout) commented(start int) bool {
	return bytes.HasPrefix(bytes.TrimLeft(l.data[start:l.lineEnd(start)], " \t"), []byte("#"))
}

// putLines inserts lines at the beginning of a line. A last line without an end stays
// without.
func (l *layout) putLines(at int, lines ...string) splice {
	eol := l.newline(at)
	text := strings.Join(lines, eol)
	if at == len(l.data) && at > 0 && l.data[at-1] != '\n' {
		return splice{span{at, at}, eol + text}
	}
	return splice{span{at, at}, text + eol}
}
