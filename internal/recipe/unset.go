package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// unsetKey lists what is taken out of the recipe that is extended.
const unsetKey = "unset"

// unsets is read with extends; here it is left only where nothing is extended.
func unsets() form {
	var ignored []string
	return form{list(&ignored, false).shape, func(d *reader, path string, v *value) {
		d.report(path, "goes with extends only: there is nothing to take out of")
	}}
}

// takeOut removes from base what the list of unset names.
func takeOut(base, names *value) Problems {
	if names == nil {
		return nil
	}
	d := &reader{places: map[string]position{unsetKey: names.at}}
	var taken []string
	list(&taken, false).read(d, unsetKey, names)
	for i, name := range taken {
		at := fmt.Sprintf("%s[%d]", unsetKey, i)
		d.places[at] = names.items[i].at
		if !base.takeOut(name) {
			d.report(at, "%q is not in the recipe that is extended", name)
		}
	}
	return d.sorted()
}

// takeOut removes a key, or of an array the item with that identity, and tells whether
// it was there.
func (v *value) takeOut(name string) bool {
	if _, ok := v.fields[name]; ok {
		v.remove(name)
		return true
	}
	key, rest, deeper := strings.Cut(name, ".")
	inner := v.fields[key]
	switch {
	case !deeper || inner == nil:
		return false
	case inner.isTable():
		return inner.takeOut(rest)
	case inner.kind != unstable.Array || identities(key) == nil:
		return false
	}
	i := slices.IndexFunc(inner.items, func(item *value) bool { return identities(key)(item) == rest })
	if i < 0 {
		return false
	}
	inner.items = slices.Delete(inner.items, i, i+1)
	return true
}
