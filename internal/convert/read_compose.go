package convert

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"

	"vmctl/internal/hint"
)

// ReadCompose reads a service of a compose file: name is the file, for messages and
// for the directory at which its relative paths begin. An empty service means the
// only one. Variables are taken from this process's environment and from the file
// .env beside the compose file, as docker compose does; files that it includes,
// extends or names as env_file are read too. The error is ErrInput, with a hint where
// a service must be chosen.
func ReadCompose(data []byte, name, service string) (Workload, []Note, error) {
	c := composeFile{name: name, root: parseNode(data)}
	if err := c.load(data); err != nil {
		return Workload{}, nil, err
	}
	if err := c.choose(service); err != nil {
		return Workload{}, nil, err
	}
	w := c.workload()
	for name, err := range c.required {
		return Workload{}, nil, &InputError{File: c.name, Text: fmt.Sprintf("the variable %s: %v", name, err)}
	}
	return w, c.notes, nil
}

// composeFile is a compose file on its way to a Workload.
type composeFile struct {
	name    string
	root    *node // as written, for lines and order; may be nil
	project *types.Project
	service types.ServiceConfig // with its environment resolved
	written types.ServiceConfig // with what the loader drops on the way
	unset   []string            // variables that were asked for and are not there
	// required are variables that must be set and are not, with what the file says of
	// it. Those that are a variable of the machine are taken out: the recipe fetches them.
	required map[string]error
	notes    remarks
}

// versionLine is the obsolete top-level key, about which the loader would print a
// warning of its own.
var versionLine = regexp.MustCompile(`(?m)^version[ \t]*:.*$`)

func (c *composeFile) load(data []byte) error {
	path, err := filepath.Abs(c.name)
	if err != nil {
		return fmt.Errorf("directory of %q: %w", c.name, err)
	}
	dir := filepath.Dir(path)
	environment, err := composeEnvironment(dir)
	if err != nil {
		return err
	}
	details := types.ConfigDetails{
		WorkingDir:  dir,
		ConfigFiles: []types.ConfigFile{{Filename: path, Content: versionLine.ReplaceAll(data, nil)}},
		Environment: environment,
	}
	c.project, err = loader.LoadWithContext(context.Background(), details, c.options(filepath.Base(dir)))
	if err != nil {
		return c.loadError(err, path)
	}
	return nil
}

func (c *composeFile) options(folder string) func(*loader.Options) {
	return func(o *loader.Options) {
		project := loader.NormalizeProjectName(folder)
		if project == "" {
			project = "compose"
		}
		o.SetProjectName(project, false)
		o.Profiles = []string{"*"}
		o.SkipResolveEnvironment, o.SkipResolveLabels = true, true
		o.Interpolate.Substitute = c.substitute
	}
}

// substitute is the loader's own substitution, which would log what is not set.
func (c *composeFile) substitute(text string, lookup template.Mapping) (string, error) {
	result, err := template.SubstituteWithOptions(text, func(name string) (string, bool) {
		value, ok := lookup(name)
		if !ok && (strings.Contains(text, "${"+name+"}") || strings.Contains(text, "$"+name)) && !slices.Contains(c.unset, name) {
			c.unset = append(c.unset, name)
		}
		return value, ok
	}, template.WithoutLogging)
	var missing *template.MissingRequiredError
	if errors.As(err, &missing) && variableOf(text) == missing.Variable {
		if c.required == nil {
			c.required = map[string]error{}
		}
		c.required[missing.Variable] = missing
		return "", nil
	}
	return result, err
}

// wholeVariable is a value that is one variable and nothing else: $NAME, ${NAME}, or
// ${NAME:?message} for one that must be set.
var wholeVariable = regexp.MustCompile(`^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::?\?[^{}]*)?\})$`)

// variableOf is the name in a wholeVariable; "" for any other value.
func variableOf(text string) string {
	if m := wholeVariable.FindStringSubmatch(text); m != nil {
		return m[1] + m[2]
	}
	return ""
}

// composeEnvironment is what variables stand for: this process's environment before
// the file .env.
func composeEnvironment(dir string) (types.Mapping, error) {
	environment := types.NewMapping(os.Environ())
	file := filepath.Join(dir, ".env")
	values, err := dotenv.GetEnvFromFile(environment, []string{file})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return environment, nil
	case err != nil && !isFile(file):
		return environment, nil
	case err != nil:
		return nil, &InputError{File: file, Text: err.Error()}
	}
	return environment.Merge(values), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// composeField is the place that the loader's messages begin with, such as
// "services.windows.ports.0 ".
var composeField = regexp.MustCompile(`^((?:services|volumes|networks|secrets|configs)\.[^\s:]+)[\s:]+(.*)$`)

// loadError puts the loader's message in the form of all readers.
func (c *composeFile) loadError(err error, path string) error {
	var missing *fs.PathError
	if errors.As(err, &missing) {
		return &InputError{File: c.name, Text: err.Error()}
	}
	text := strings.ReplaceAll(strings.ReplaceAll(err.Error(), path, c.name), "\n", "; ")
	text = strings.TrimPrefix(text, "validating "+c.name+": ")
	text = strings.TrimPrefix(text, "error while interpolating ")
	e := &InputError{File: c.name, Text: text}
	if strings.Contains(text, "yaml: ") {
		return syntaxError(c.name, err)
	}
	if m := composeField.FindStringSubmatch(text); m != nil {
		e.Field, e.Text = m[1], m[2]
		e.Line = lineOf(c.root, e.Field)
		if e.Text == "false schema" { // the schema's word for what it does not allow
			e.Text = "compose has no such key; look at its spelling"
		}
	}
	return e
}

// choose takes the service out of the project and resolves its environment.
func (c *composeFile) choose(service string) error {
	names := c.project.ServiceNames()
	switch {
	case len(names) == 0:
		return &InputError{File: c.name, Field: "services", Text: "no service; a service has the image of the machine"}
	case service == "" && len(names) > 1:
		return hint.With(&InputError{File: c.name, Field: "services", Text: "there are several: " + quoteList(names)},
			"name the one that is a machine: --service %s", names[0])
	case service == "":
		service = names[0]
	case !slices.Contains(names, service):
		return &InputError{File: c.name, Field: "services", Text: fmt.Sprintf("no service %q; there are %s", service, quoteList(names))}
	}
	c.written = c.project.Services[service]
	one, err := c.project.WithSelectedServices([]string{service}, types.IgnoreDependencies)
	if err == nil {
		c.project, err = one.WithServicesEnvironmentResolved(true)
	}
	if err != nil {
		return &InputError{File: c.name, Field: "services." + service, Line: lineOf(c.root, "services."+service), Text: err.Error()}
	}
	c.service = c.project.Services[service]
	return nil
}
