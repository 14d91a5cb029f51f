package recipe

import (
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// shape is what can be told of a value without reading it, in the terms of JSON
// Schema: see JSONSchema.
type shape struct {
	types       []string // of JSON Schema: string, integer, boolean, array, object
	words       []string // the only strings allowed
	examples    []string
	pattern     string // a regular expression for strings
	least, most int    // of integers, where most is above 0
	fields      []field
	items       *shape  // of an array
	others      *shape  // of an object's keys that are not among fields
	either      []shape // one of these, in place of all above
}

// allows tells whether a TOML value of this kind can be of the shape.
func (s shape) allows(kind unstable.Kind) bool {
	if slices.ContainsFunc(s.either, func(e shape) bool { return e.allows(kind) }) {
		return true
	}
	name, ok := map[unstable.Kind]string{
		unstable.String: "string", unstable.Integer: "integer", unstable.Bool: "boolean",
		unstable.Array: "array", unstable.Table: "object",
	}[kind]
	return ok && slices.Contains(s.types, name)
}
