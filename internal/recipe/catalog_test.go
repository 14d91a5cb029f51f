package recipe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/hint"
	"vmctl/recipes"
)

// Every bundled recipe is valid, says what it must, and survives being frozen.
func TestBundledRecipes(t *testing.T) {
	c := NewCatalog(recipes.FS)
	want := strings.Fields("alpine debian demo fedora macos-14 macos-15 tiny11 ubuntu windows-10 windows-11 windows-server-2025")
	var got []string
	for _, e := range c.List() {
		got = append(got, e.Name)
		t.Run(e.Name, func(t *testing.T) {
			if e.Err != nil {
				t.Fatal(e.Err)
			}
			r, err := c.Get(e.Name)
			if err != nil {
				t.Fatal(err)
			}
			checkBundled(t, e, r)
			checkRoundTrip(t, r)
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}
}

func checkBundled(t *testing.T, e Entry, r *Recipe) {
	t.Helper()
	contract := r.Contract()
	if e.Summary == "" || e.Source != "bundled:"+e.Name || r.MachineName() != e.Name || e.Guest != r.Guest {
		t.Errorf("entry %+v of machine %q", e, r.MachineName())
	}
	if r.Image != contract.DefaultImage {
		t.Errorf("image %s is not the pinned one, %s", r.Image, contract.DefaultImage)
	}
	if r.Lifecycle.StopGrace != contract.StopGrace {
		t.Errorf("stop grace %s, want %s", r.Lifecycle.StopGrace, contract.StopGrace)
	}
	for _, guest := range []int{8006, 5900} {
		if !r.forwards(guest, TCP) {
			t.Errorf("port %d is not forwarded", guest)
		}
	}
	for _, p := range r.Ports {
		if p.Host.Mode != HostPortFrom || p.Address != Loopback {
			t.Errorf("port %s: host %s on %s; bundled recipes give way, on 127.0.0.1", p.Name, p.Host, p.Address)
		}
	}
	if r.Guest == Windows && !(r.forwards(3389, TCP) && r.forwards(3389, UDP)) {
		t.Error("RDP is not forwarded for TCP and UDP")
	}
}

func catalogOf(t *testing.T, files map[string]string) (*Catalog, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bundled := fstest.MapFS{
		"demo.toml":   {Data: []byte("summary='bundled'\nguest='demo'\n")},
		"alpine.toml": {Data: []byte("summary='Alpine'\nguest='linux'\nenv.BOOT='alpine'\n")},
		"README.md":   {Data: []byte("no recipe")},
	}
	return NewCatalog(bundled, filepath.Join(dir, "absent"), dir), dir
}

func TestCatalog(t *testing.T) {
	c, dir := catalogOf(t, map[string]string{
		"demo.toml":   "summary='mine'\nguest='demo'\n",
		"broken.toml": "guest='nobody'\n",
		"notes.txt":   "not a recipe",
	})
	entries := c.List()
	var got []string
	for _, e := range entries {
		got = append(got, e.Name+" "+string(e.Guest)+" "+e.Summary+" "+e.Source)
	}
	want := []string{
		"alpine linux Alpine bundled:alpine",
		"broken   " + dir + "/broken.toml",
		"demo demo mine " + dir + "/demo.toml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	var problems Problems
	if !errors.As(entries[1].Err, &problems) {
		t.Errorf("the broken recipe has error %v", entries[1].Err)
	}
	if r, err := c.Get("demo"); err != nil || r.Summary != "mine" {
		t.Errorf("Get(demo) = %v, %v; want the user's", r, err)
	}
	if _, err := c.Get("broken"); !errors.As(err, &problems) {
		t.Errorf("Get(broken) = %v", err)
	}
}

func TestCatalogUnknown(t *testing.T) {
	c, _ := catalogOf(t, nil)
	for name, want := range map[string]string{
		"dmeo":    "did you mean demo?",
		"windows": "the recipes are alpine, demo",
		"../demo": "the recipes are alpine, demo",
	} {
		_, err := c.Get(name)
		if !errors.Is(err, ErrUnknown) || hint.Of(err) != want {
			t.Errorf("Get(%q) = %v, hint %q; want hint %q", name, err, hint.Of(err), want)
		}
	}
	if _, err := NewCatalog(nil).Get("x"); !errors.Is(err, ErrUnknown) || hint.Of(err) != "" {
		t.Errorf("Get of an empty catalog = %v, hint %q", err, hint.Of(err))
	}
}

// A folder that cannot be read is said, and does not hide the rest.
func TestCatalogUnreadableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	entries := NewCatalog(fstest.MapFS{"d.toml": {Data: []byte("guest='demo'")}}, file).List()
	if len(entries) != 2 || entries[0].Name != "d" || entries[1].Err == nil {
		t.Errorf("List = %+v", entries)
	}
}

type brokenFS struct{ fstest.MapFS }

func (brokenFS) ReadFile(string) ([]byte, error) { return nil, fs.ErrPermission }

func TestCatalogBrokenBundle(t *testing.T) {
	c := NewCatalog(brokenFS{fstest.MapFS{"d.toml": {}}})
	if _, err := c.Get("d"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "bundled:d") {
		t.Errorf("Get = %v", err)
	}
}

// Every example of the field reference is a recipe, and every key is in it.
func TestReference(t *testing.T) {
	fixHome(t, "/home/anna")
	text := string(read(t, "../../recipes/README.md"))
	blocks := regexp.MustCompile("(?ms)^```toml\n(.*?)^```").FindAllStringSubmatch(text, -1)
	if len(blocks) < 6 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		r, d, err := parse([]byte(b[1]), "/dotfiles/example.toml", NewCatalog(recipes.FS))
		if err == nil {
			err = d.sorted().err()
		}
		if err != nil {
			t.Errorf("%v\nin:\n%s", err, b[1])
			continue
		}
		checkRoundTrip(t, r)
	}
	for _, key := range schemaKeys() {
		if !strings.Contains(text, "| `"+key+"` |") {
			t.Errorf("key %s is not in the reference", key)
		}
	}
	for _, g := range Guests() {
		if row := "| `" + string(g) + "` | `" + contractOf(g).DefaultImage + "` |"; !strings.Contains(text, row) {
			t.Errorf("the reference has no row %s", row)
		}
	}
}

// schemaKeys are all keys that the schema knows, the tables left out.
func schemaKeys() []string {
	var keys []string
	var add func(prefix string, s shape)
	add = func(prefix string, s shape) {
		switch {
		case s.items != nil && s.items.fields != nil:
			s = *s.items
		case s.others != nil && s.others.fields != nil:
			prefix, s = prefix+".NAME", *s.others
		case s.fields == nil && s.others == nil:
			keys = append(keys, prefix)
		}
		for _, f := range s.fields {
			add(join(prefix, f.name), f.shape)
		}
	}
	add("", shape{fields: recipeFields(&Recipe{})})
	return keys
}
