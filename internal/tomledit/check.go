package tomledit

import (
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// decode reads what a document means: map[string]any, []any and scalars.
func decode(data []byte) (any, error) {
	tree := map[string]any{}
	err := toml.Unmarshal(data, &tree)
	return tree, err
}

// decodeValue reads the text of one value and nothing else.
func decodeValue(text string) (any, error) {
	l, err := newLayout([]byte("x = " + text))
	if err != nil {
		return nil, err
	}
	if l.root.fields["x"].value != (span{4, len(l.data)}) {
		return nil, errors.New("there is more than a value")
	}
	tree, err := decode(l.data)
	if err != nil {
		return nil, err
	}
	return tree.(map[string]any)["x"], nil
}

// put returns the tree with a value at the path.
func put(tree any, path Path, value any) any {
	if len(path) == 0 {
		return value
	}
	if i := path[0].index; i >= 0 {
		list, _ := tree.([]any)
		if i >= len(list) {
			return append(list, put(nil, path[1:], value))
		}
		list[i] = put(list[i], path[1:], value)
		return list
	}
	m, ok := tree.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	m[path[0].key] = put(m[path[0].key], path[1:], value)
	return m
}

// take returns the tree without what is at the first last steps of the path, or nil if
// that is all of it.
func take(tree any, path Path, last int) any {
	if last == 0 {
		return nil
	}
	if i := path[0].index; i >= 0 {
		list := tree.([]any)
		if inner := take(list[i], path[1:], last-1); inner != nil {
			list[i] = inner
			return list
		}
		return slices.Delete(list, i, i+1)
	}
	m := tree.(map[string]any)
	if inner := take(m[path[0].key], path[1:], last-1); inner != nil {
		m[path[0].key] = inner
	} else {
		delete(m, path[0].key)
	}
	return m
}

// same compares what two documents mean. Unlike reflect.DeepEqual it finds one NaN
// like another.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	}
	return reflect.DeepEqual(a, b)
}
