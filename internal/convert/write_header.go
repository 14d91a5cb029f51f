package convert

import (
	"fmt"
	"strings"
)

// headerWidth is where the comment at the top of a file is broken.
const headerWidth = 100

// header is the comment at the top of an exported file: what the file is, how to use it,
// and a line for each note.
func header(lines []string, notes []Note) string {
	var out strings.Builder
	for _, line := range lines {
		comment(&out, "", line)
	}
	if len(notes) > 0 {
		comment(&out, "", "")
		comment(&out, "", "What is different from vmctl:")
	}
	for _, n := range notes {
		comment(&out, "- ", n.String())
	}
	return out.String()
}

// comment writes one line, broken between words unless it is a command, which is
// indented; what follows the bullet is indented.
func comment(out *strings.Builder, bullet, text string) {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 {
			return ' ' // would end the comment
		}
		return c
	}, text)
	line := "# " + bullet
	empty := true
	for _, word := range strings.Split(text, " ") {
		if !empty && len(line)+1+len(word) > headerWidth && !strings.HasPrefix(text, " ") {
			fmt.Fprintln(out, line)
			line, empty = "# "+strings.Repeat(" ", len(bullet)), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(out, strings.TrimRight(line, " "))
}
