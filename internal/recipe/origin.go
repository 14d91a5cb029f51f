package recipe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Origins tell who said the values of a recipe: by key, "work.toml:7", "bundled:demo:12",
// "command line" or "variable VMCTL_MEMORY".
type Origins map[string]string

// OriginDefault is the origin of what nobody said.
const OriginDefault = "default"

// Value is one value of a complete recipe, with its origin.
type Value struct {
	Key    string `json:"key"`    // "ports[0].guest"
	Value  string `json:"value"`  // as TOML has it
	Origin string `json:"origin"` // see Origins
}

// Explained is a recipe of which it is known who said what.
type Explained struct {
	*Recipe
	origins Origins
}

// Explain reads a source (a file, or "bundled:NAME") as Load and Get do, lays the
// overrides over it, and remembers where each value comes from.
func (c *Catalog) Explain(source string, overrides []Override) (Explained, error) {
	data, err := c.open(source)
	if err != nil {
		return Explained{}, err
	}
	r, d, err := parse(data, source, c)
	if err != nil {
		return Explained{}, err
	}
	d.checkPaths(r)
	if err := d.sorted().err(); err != nil {
		return Explained{}, err
	}
	origins := Origins{}
	for path, at := range d.places {
		origins[path] = fmt.Sprintf("%s:%d", at.file, at.line)
	}
	later, err := r.override(overrides)
	if err != nil {
		return Explained{}, err
	}
	for path, from := range later {
		origins[path] = from
	}
	return Explained{r, origins}, nil
}

// spellings are the variables under which a key may have been said instead.
func spellings(key string) []string {
	return map[string][]string{
		"resources.cpus": {envCPUs}, "resources.memory": {envMemory}, "resources.disk": {envDisk},
		"network": {envNetwork, envDHCP}, "viewer.display": {envDisplay}, "viewer.protect": {envProtect},
		"viewer.audio": {envAudio}, "viewer.resolution": {envWidth, envHeight},
	}[key]
}

// of returns who said a key. names are the names of the array items on its way: an
// override calls them so.
func (o Origins) of(key string, names map[string]string) string {
	candidates := []string{key}
	for _, name := range spellings(key) {
		candidates = append(candidates, "env."+name)
	}
	if end := strings.IndexByte(key, ']'); end > 0 {
		item, rest := key[:end+1], key[end+1:]
		array, _, _ := strings.Cut(item, "[")
		// By name, then as a whole: an override that wrote the item anew.
		candidates = append([]string{array + "." + names[item] + rest}, candidates...)
		if from := o[item]; from != "" && !strings.Contains(from, ":") {
			candidates = append(candidates, item)
		}
	}
	for _, c := range candidates {
		if from := o[c]; from != "" {
			return from
		}
	}
	return OriginDefault
}

// Values returns all values of the recipe in the order in which Marshal writes them.
func (e Explained) Values() ([]Value, error) {
	_, values, err := e.annotated()
	return values, err
}

// Annotated is Marshal with the origin of each value behind it, as a comment.
func (e Explained) Annotated() ([]byte, error) {
	text, _, err := e.annotated()
	return text, err
}

func (e Explained) annotated() ([]byte, []Value, error) {
	data, err := e.Marshal()
	if err != nil {
		return nil, nil, err
	}
	tree, problems := parseTree(data, "")
	if len(problems) > 0 {
		return nil, nil, problems
	}
	w := &annotator{origins: e.origins, lines: strings.Split(string(data), "\n"), names: map[string]string{}}
	w.table("", tree)
	slices.SortStableFunc(w.values, func(a, b placed) int { return a.line - b.line })
	values := make([]Value, len(w.values))
	for i, v := range w.values {
		values[i] = v.Value
	}
	return []byte(strings.Join(w.aligned(), "\n")), values, nil
}

// annotator walks a written recipe.
type annotator struct {
	origins Origins
	lines   []string
	names   map[string]string // of array items, by "ports[0]"
	values  []placed
}

type placed struct {
	Value
	line int
}

func (w *annotator) table(path string, v *value) {
	for _, key := range v.keys {
		at, field := join(path, key), v.fields[key]
		switch {
		case field.isTable():
			w.table(at, field)
		case field.kind == unstable.Array && len(field.items) > 0 && field.items[0].isTable():
			for i, item := range field.items {
				at := at + "[" + strconv.Itoa(i) + "]"
				w.names[at] = item.field("name") + item.field("target")
				w.table(at, item)
			}
		default:
			_, text, _ := strings.Cut(w.lines[field.at.line-1], "=")
			w.values = append(w.values, placed{Value{at, strings.TrimSpace(text), w.origins.of(at, w.names)}, field.at.line})
		}
	}
}

// aligned returns the lines with their comments in one column.
func (w *annotator) aligned() []string {
	width := 0
	for _, v := range w.values {
		width = max(width, min(len(w.lines[v.line-1]), 60))
	}
	out := slices.Clone(w.lines)
	for _, v := range w.values {
		out[v.line-1] = fmt.Sprintf("%-*s  # %s", width, out[v.line-1], v.Origin)
	}
	return out
}
