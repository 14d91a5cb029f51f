package recipe

import (
	"fmt"
	"slices"
	"strings"
)

// Complete returns what may be meant by a part of an override KEY=VALUE (see Apply), as
// shells show it: the text, a tab, and what it means. Without a "=" these are keys, with
// one the values of the key, where they are a matter of choice. A guest of "" is any.
func Complete(g Guest, typed string) []string {
	key, _, valued := strings.Cut(typed, "=")
	var all []string
	if valued {
		for _, v := range valuesOf(g, key) {
			all = append(all, key+"="+v)
		}
	} else {
		all = completeKeys(recipeFields(&Recipe{}))
	}
	return slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, typed) })
}

func completeKeys(fields []field) []string {
	var out []string
	for _, path := range variableFields("", fields) {
		if f, ok := findField(fields, path); ok {
			out = append(out, path+"=\t"+f.doc)
		}
	}
	for _, f := range identityFields(shape{}) {
		out = append(out, "env."+f.name+"=\t"+f.doc)
	}
	return out
}

// findField returns the field at a path of the schema.
func findField(fields []field, path string) (field, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 || !deeper {
		return fields[max(i, 0)], i >= 0
	}
	return findField(fields[i].shape.fields, rest)
}

// valuesOf are the values of a key, each with a tab and its meaning.
func valuesOf(g Guest, key string) []string {
	switch key {
	case "env.VERSION", "env.BOOT":
		var out []string
		for _, of := range []Guest{Windows, MacOS, Linux} {
			if (g == "" || g == of) && (of == Linux) == (key == "env.BOOT") {
				for _, v := range Versions(of) {
					out = append(out, ShortName(of, v)+"\t"+v.describe())
				}
			}
		}
		return out
	case "env.LANGUAGE":
		var out []string
		for _, l := range Languages() {
			out = append(out, l.ID+"\t"+strings.Join(l.Names, ", "))
		}
		return out
	}
	f, ok := findField(recipeFields(&Recipe{}), key)
	if !ok {
		return nil
	}
	words := slices.Concat(f.shape.words, f.shape.examples)
	for _, e := range f.shape.either {
		words = slices.Concat(words, e.words, e.examples)
	}
	if slices.Contains(f.shape.types, "boolean") {
		words = []string{"true", "false"}
	}
	return words
}

// describe is a version in one line: its title, its download, its end.
func (v Version) describe() string {
	text := v.Title
	if v.Download != "" {
		text += fmt.Sprintf(", %s download", v.Download)
	}
	if v.Support != "" {
		text += ", updates until " + v.Support
	}
	return text
}
