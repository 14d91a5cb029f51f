package recipe

import (
	"encoding/json"
	"fmt"
	"slices"
)

// JSONSchema returns the schema of recipe files for editors (taplo, and what is built
// on it), as indented JSON of draft 7 (json-schema.org/draft-07). It knows keys, types
// and words; what a value means for an image only Parse knows.
func JSONSchema() ([]byte, error) {
	root := shape{types: []string{"object"}, fields: recipeFields(&Recipe{})}.json()
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "vmctl recipe"
	root["description"] = "How to make a virtual machine with vmctl"
	var begin []any
	for _, key := range []string{extendsKey, "guest", "image"} {
		begin = append(begin, map[string]any{"required": []string{key}})
	}
	root["anyOf"] = begin
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON schema: %w", err)
	}
	return append(data, '\n'), nil
}

// json writes the shape in the words of JSON Schema.
func (s shape) json() map[string]any {
	out := map[string]any{}
	if s.either != nil {
		var list []any
		for _, e := range s.either {
			list = append(list, e.json())
		}
		out["anyOf"] = list
		return out
	}
	switch len(s.types) {
	case 0:
	case 1:
		out["type"] = s.types[0]
	default:
		out["type"] = s.types
	}
	for key, list := range map[string][]string{"enum": s.words, "examples": s.examples} {
		if list != nil {
			out[key] = list
		}
	}
	if s.pattern != "" {
		out["pattern"] = s.pattern
	}
	if s.most > 0 {
		out["minimum"], out["maximum"] = s.least, s.most
	}
	if s.items != nil {
		out["items"] = s.items.json()
	}
	if slices.Contains(s.types, "object") {
		s.jsonKeys(out)
	}
	return out
}

// jsonKeys writes the keys of an object.
func (s shape) jsonKeys(out map[string]any) {
	properties := map[string]any{}
	for _, f := range s.fields {
		property := f.shape.json()
		property["description"] = f.doc
		properties[f.name] = property
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	out["additionalProperties"] = false
	if s.others != nil {
		out["additionalProperties"] = s.others.json()
	}
}
