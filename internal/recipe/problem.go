package recipe

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a recipe.
type Problem struct {
	File    string `json:"file"`             // the file, or where else the value came from
	Line    int    `json:"line,omitempty"`   // from 1; 0 when the place is not known
	Column  int    `json:"column,omitempty"` // in bytes, from 1
	Field   string `json:"field,omitempty"`  // the key, "resources.memory" or "ports[1].guest"; may be empty
	Message string `json:"message"`          // what is wrong and what to write instead
}

// String writes "file:line:column: field: message".
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	return b.String() + p.Message
}

// Problems is the error of Parse, Load, SetField and Apply: all that is wrong, in
// the order of the file.
type Problems []Problem

// Error has one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// err returns ps as an error, or nil when there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
