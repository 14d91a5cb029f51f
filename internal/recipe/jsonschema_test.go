package recipe

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"vmctl/recipes"
)

func TestJSONSchemaFile(t *testing.T) {
	data, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../../recipes/schema.json", string(data))
}

// validator is the schema as an editor has it.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("recipe.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("recipe.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance is a TOML document as JSON.
func instance(t *testing.T, text []byte) any {
	t.Helper()
	var doc map[string]any
	if err := toml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// What the parser takes, the schema takes: every valid fixture, its frozen form, and
// every bundled recipe.
func TestJSONSchemaTakesRecipes(t *testing.T) {
	s := validator(t)
	check := func(name string, text []byte) {
		if err := s.Validate(instance(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, file := range fixtures(t, "valid-*") {
		check(file, read(t, file))
	}
	for _, e := range NewCatalog(recipes.FS).List() {
		text, err := recipes.FS.ReadFile(strings.TrimPrefix(e.Source, bundledPrefix) + extension)
		if err != nil {
			t.Fatal(err)
		}
		check(e.Source, text)
	}
}

// What the parser refuses for its form, the schema refuses.
func TestJSONSchemaRefuses(t *testing.T) {
	s := validator(t)
	for _, file := range []string{"types", "types-inside", "unknown-keys", "schema", "mixed-array", "empty", "sizes"} {
		text, err := os.ReadFile(filepath.Join("testdata", "invalid-"+file+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(instance(t, text)) == nil {
			t.Errorf("%s is accepted", file)
		}
	}
	for _, text := range []string{
		"guest = 'linux'\nnetwork = 'host'", "guest = 'linux'\nviewer.resolution = '1x1'", "guest = 'linux'\nports = [{guest = 0}]",
		"guest = 'linux'\ndisks = [{number = 1}]", "guest = 'linux'\nsecrets.X.vault = 'y'", "guest = 'linux'\nresources.memory = '8'",
		"guest = 'linux'\nlifecycle.idle.after = 'soon'", "summary = 'nothing to begin from'", "guest = 'linux'\nenv.X = [1]",
		"guest = 'linux'\nresources.cpus = 'all'", "guest = 'linux'\nschema = 2",
	} {
		if s.Validate(instance(t, []byte(text))) == nil {
			t.Errorf("accepted:\n%s", text)
		}
	}
}
