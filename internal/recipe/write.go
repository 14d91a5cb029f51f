package recipe

import (
	"errors"
	"regexp"
	"strings"

	"vmctl/internal/tomledit"
)

var integerText = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

// write puts a value at the path in the first form that the schema takes.
func (d *Document) write(path tomledit.Path, value string) error {
	old, _ := d.text.Value(path)
	var fallback *tomledit.Document
	var failure error
	for _, form := range forms(value, old, strings.HasPrefix(path.String(), "env.")) {
		text, err := tomledit.Parse(d.Bytes())
		if err == nil {
			err = text.Set(path, form)
		}
		switch {
		case err != nil:
			failure = err
		case d.takes(text.Bytes(), path.String()):
			d.text = text
			return nil
		case fallback == nil:
			fallback = text
		}
	}
	if fallback == nil {
		return failure
	}
	d.text = fallback // wrong in any form: whoever reads the recipe says why
	return nil
}

// takes tells whether a field is right in a recipe, whatever else is wrong.
func (d *Document) takes(data []byte, field string) bool {
	_, err := Parse(data, d.name)
	var problems Problems
	if !errors.As(err, &problems) {
		return err == nil
	}
	for _, p := range problems {
		if p.Field == field || p.Field != "" && (strings.HasPrefix(field, p.Field+".") || strings.HasPrefix(field, p.Field+"[")) ||
			strings.HasPrefix(p.Field, field+".") || strings.HasPrefix(p.Field, field+"[") {
			return false
		}
	}
	return true
}

// forms are the ways to write a value in TOML, the likeliest first: an array, an inline
// table, an integer or a boolean if it reads so, then a string. A variable is a string
// unless the old text was of the same other kind: 11 and "11" mean the same there.
func forms(value, old string, variable bool) []string {
	text := tomledit.String(value)
	if literal, ok := tomledit.Literal(value); ok && strings.HasPrefix(old, "'") {
		text = literal
	}
	switch kind := kindOf(value); {
	case variable && kind == kindOf(old) && kind != "string":
		return []string{value}
	case variable || kind == "string":
		return []string{text}
	}
	return []string{value, text}
}

// kindOf tells what a text would be in TOML without quotes.
func kindOf(text string) string {
	switch {
	case integerText.MatchString(text):
		return "integer"
	case text == "true" || text == "false":
		return "boolean"
	case strings.HasPrefix(text, "["):
		return "array"
	case strings.HasPrefix(text, "{"):
		return "table"
	}
	return "string"
}
