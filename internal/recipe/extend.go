package recipe

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// extendsKey names the recipe that another one begins from.
const extendsKey = "extends"

// maxDepth is deeper than anybody can follow.
const maxDepth = 8

// extend returns tree laid over the recipe that it extends, and that over its own.
// chain is where it came from: the sources read so far, the last one being its own.
func (c *Catalog) extend(tree *value, chain []string) (*value, Problems) {
	v := tree.fields[extendsKey]
	if v == nil {
		return tree, nil
	}
	problem := func(format string, args ...any) (*value, Problems) {
		return nil, Problems{{v.at.file, v.at.line, v.at.column, extendsKey, fmt.Sprintf(format, args...)}}
	}
	if v.kind != unstable.String {
		return problem("must be a recipe's name or file, not %s", v.describe())
	}
	source, err := c.locate(v.text, chain)
	if err != nil {
		return problem("%v", err)
	}
	longer := append(slices.Clone(chain), source)
	switch {
	case slices.Contains(chain, source):
		return problem("goes round in a circle: %s", strings.Join(longer, " -> "))
	case len(longer) > maxDepth:
		return problem("more than %d recipes deep: %s", maxDepth, strings.Join(longer, " -> "))
	}
	data, err := c.open(source)
	if err != nil {
		return problem("%v", err)
	}
	base, problems := parseTree(data, source)
	if len(problems) == 0 {
		base, problems = c.extend(base, longer)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if problems := takeOut(base, tree.fields[unsetKey]); len(problems) > 0 {
		return nil, problems
	}
	base.remove("name") // a name is of one recipe
	tree.remove(extendsKey)
	tree.remove(unsetKey)
	sayOnce(base, tree)
	return merge("", base, tree), nil
}

// sayOnce takes a variable that is secret in one recipe and plain in the other out of
// the one that is extended.
func sayOnce(base, over *value) {
	for _, pair := range [][2]string{{"env", "secrets"}, {"secrets", "env"}} {
		below, above := base.fields[pair[0]], over.fields[pair[1]]
		if below == nil || above == nil || !below.isTable() {
			continue
		}
		for _, name := range above.keys {
			below.remove(name)
		}
	}
}

// extends is read before all else; here it is left only where nothing can be followed.
func extends() form {
	return form{shape{types: []string{"string"}}, func(d *reader, path string, v *value) {
		d.report(path, "cannot be followed here: this text stands alone")
	}}
}

// locate turns the text of extends into a source. A path begins at the recipe's
// folder. A recipe that extends its own name means the bundled one.
func (c *Catalog) locate(text string, chain []string) (string, error) {
	self := chain[len(chain)-1]
	if strings.HasPrefix(text, bundledPrefix) {
		return text, nil
	}
	if strings.ContainsRune(text, '/') || strings.HasSuffix(text, extension) {
		file, err := expand(text)
		switch {
		case err != nil:
			return "", err
		case filepath.IsAbs(file):
			return filepath.Clean(file), nil
		case baseDir(self) == "":
			return "", fmt.Errorf("must be a recipe's name or an absolute path, not %q", text)
		}
		return filepath.Join(baseDir(self), file), nil
	}
	sources, _ := c.sources()
	source, ok := sources[text]
	if !ok {
		return "", fmt.Errorf("%w: %q%s", ErrUnknown, text, didYouMean(text, sortedKeys(sources)))
	}
	if bundled := bundledPrefix + text; slices.Contains(chain, source) && c.hasBundled(text) {
		return bundled, nil
	}
	return source, nil
}

func (c *Catalog) hasBundled(name string) bool {
	if c.bundled == nil {
		return false
	}
	_, err := fs.Stat(c.bundled, name+extension)
	return err == nil
}

// open reads a source.
func (c *Catalog) open(source string) ([]byte, error) {
	name, bundled := strings.CutPrefix(source, bundledPrefix)
	if !bundled {
		return os.ReadFile(source)
	}
	if !c.hasBundled(name) {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, source)
	}
	data, err := fs.ReadFile(c.bundled, name+extension)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", source, err)
	}
	return data, nil
}

// identities tell which items of an array are the same thing.
func identities(key string) func(*value) string {
	return map[string]func(*value) string{
		"ports":   portIdentity,
		"mounts":  mountIdentity,
		"disks":   func(v *value) string { return v.field("name") },
		"devices": func(v *value) string { return v.field("path") + v.field("cdi") + v.field("usb") },
	}[key]
}

// merge lays a table over another. Tables merge; of ports and disks those with the same
// name do too, of mounts those with the same target, and of devices the same ones;
// everything else is replaced. A secret is where the later recipe says, alone.
func merge(key string, base, over *value) *value {
	identify := identities(key)
	switch {
	case strings.HasPrefix(key, "secrets."):
	case base.kind == unstable.Table && over.kind == unstable.Table:
		out := newTable(over.at)
		for _, k := range base.keys {
			out.put(k, base.fields[k])
		}
		for _, k := range over.keys {
			if below, ok := base.fields[k]; ok {
				out.put(k, merge(join(key, k), below, over.fields[k]))
			} else {
				out.put(k, over.fields[k])
			}
		}
		return out
	case base.kind == unstable.Array && over.kind == unstable.Array && identify != nil:
		return mergeItems(base, over, identify)
	}
	return over
}

// mergeItems lays items over those of the same identity, each at most once, and
// appends the others.
func mergeItems(base, over *value, identify func(*value) string) *value {
	out := &value{kind: unstable.Array, at: over.at, items: slices.Clone(base.items)}
	taken := map[int]bool{}
	for _, item := range over.items {
		i := slices.IndexFunc(base.items, func(b *value) bool { return identify(b) != "" && identify(b) == identify(item) })
		if i < 0 || taken[i] {
			out.items = append(out.items, item)
			continue
		}
		taken[i] = true
		out.items[i] = merge("", base.items[i], item)
	}
	return out
}

// portIdentity is a port's name, as namePorts would give it.
func portIdentity(v *value) string {
	if name := v.field("name"); name != "" {
		return name
	}
	protocol := v.field("protocol")
	if protocol == "" {
		protocol = TCP
	}
	if v.field("guest") == "" {
		return ""
	}
	return protocol + decimal(v.field("guest"))
}

func mountIdentity(v *value) string {
	if v.field("target") == "" {
		return ""
	}
	return path.Clean(v.field("target"))
}

// field is the text of a scalar field of a table, or "".
func (v *value) field(key string) string {
	if f := v.fields[key]; f != nil {
		return f.text
	}
	return ""
}

// remove takes a field out of a table.
func (v *value) remove(key string) {
	delete(v.fields, key)
	v.keys = slices.DeleteFunc(v.keys, func(k string) bool { return k == key })
}
