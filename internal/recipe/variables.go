package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vmctl/internal/hint"
)

// variablePrefix begins the environment variables that change recipes.
const variablePrefix = "VMCTL_"

// FromEnvironment returns the overrides that an environment ("NAME=VALUE") says, in the
// order of their names:
//
//	VMCTL_MEMORY=16G                 a short form: cpus, memory, disk
//	VMCTL_LIFECYCLE_STOP_GRACE=3m    a key, in capitals and with _ for its dots
//	VMCTL_ENV_LANGUAGE=de            a variable of the image
//
// Other names that begin with VMCTL_ are left alone, but for one that is a slip of a key:
// that is an error. An empty value is none.
func FromEnvironment(environ []string) ([]Override, error) {
	keys := variableKeys()
	var out []Override
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		rest, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || value == "" || slices.Contains(otherVariables(), rest) {
			continue
		}
		o := Override{From: "variable " + name}
		if variable, ok := strings.CutPrefix(rest, "ENV_"); ok && envName.MatchString(variable) {
			o.Text = "env=" + variable + "=" + value
		} else if key, ok := keys[rest]; ok {
			o.Text = key + "=" + value
		} else if near := nearest(rest, sortedKeys(keys)); len(near) > 0 {
			return nil, hint.With(fmt.Errorf("unknown variable %s", name), "did you mean %s%s?", variablePrefix, near[0])
		} else {
			continue
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Override) int { return cmp.Compare(a.From, b.From) })
	return out, nil
}

// otherVariables are those that mean something else, without the prefix.
func otherVariables() []string {
	return []string{"RUNTIME_ENDPOINT", "RUNTIME_NAME", "CONTAINERD", "PAUSE_ARCHIVE"}
}

// variableKeys are the keys that a variable can set, by its name without the prefix.
func variableKeys() map[string]string {
	keys := map[string]string{"CPUS": "cpus", "MEMORY": "memory", "DISK": "disk"}
	for _, f := range variableFields("", recipeFields(&Recipe{})) {
		keys[strings.ToUpper(strings.NewReplacer(".", "_").Replace(f))] = f
	}
	return keys
}

// variableFields lists the keys that hold one word: no tables and no arrays, and none
// that says what file this is.
func variableFields(prefix string, fields []field) []string {
	var out []string
	for _, f := range fields {
		at := join(prefix, f.name)
		switch {
		case slices.Contains([]string{"schema", extendsKey, unsetKey, "name", "env"}, at):
		case slices.Contains(f.shape.types, "array"):
		case slices.Contains(f.shape.types, "object"):
			out = append(out, variableFields(at, f.shape.fields)...)
		default:
			out = append(out, at)
		}
	}
	return out
}
