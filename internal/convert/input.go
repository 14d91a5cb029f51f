package convert

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrInput is what errors.Is finds in the error of a reader: the file is at fault.
var ErrInput = errors.New("cannot be imported")

// InputError says what is wrong with a file that is read, and what to do.
type InputError struct {
	File  string
	Line  int    // from 1; 0 when it is not known
	Field string // in the format's own terms; may be empty
	Text  string
}

// Error writes "file:line: field: text".
func (e *InputError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	return b.String() + e.Text
}

// Is reports that the error is ErrInput.
func (e *InputError) Is(target error) bool { return target == ErrInput }

// yamlPlace finds the line that YAML parsers name in their messages.
var yamlPlace = regexp.MustCompile(`(?s)^.*?(?:yaml: )+(?:while [^:]*: )?(?:construct errors:\s*)?(?:line (\d+)(?:, column \d+)?: )?(.*)$`)

// syntaxError is err of a YAML or JSON parser, with its line.
func syntaxError(file string, err error) error {
	e := &InputError{File: file, Text: err.Error()}
	if m := yamlPlace.FindStringSubmatch(e.Text); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Text = m[2]
	}
	e.Text = strings.TrimSpace(e.Text)
	return e
}

// checkSyntax tells what is wrong with a file that is not YAML at all.
func checkSyntax(f InputFile) error {
	var doc node
	if err := yaml.Unmarshal(f.Data, &doc); err != nil {
		return syntaxError(f.Name, err)
	}
	return nil
}

// node is a place in a YAML document; nil where there is none.
type node = yaml.Node

// parseNode reads the first document; nil where it is not YAML.
func parseNode(data []byte) *node {
	var doc node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

// nodeAt follows keys into mappings.
func nodeAt(n *node, path ...string) *node {
	for _, key := range path {
		n = childOf(n, key)
	}
	return n
}

func childOf(n *node, key string) *node {
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// resolved follows an alias to its anchor.
func resolved(n *node) *node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// lineOf is the line of the deepest part of a dotted path that is there; 0 where
// there is none.
func lineOf(n *node, path string) int {
	line := 0
	for _, key := range strings.Split(path, ".") {
		if n = childOf(n, key); n == nil {
			break
		}
		line = n.Line
	}
	return line
}
