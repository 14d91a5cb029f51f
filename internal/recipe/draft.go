package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"text/template"

	"vmctl/internal/tomledit"
)

// Draft is what a new recipe says. It extends From, or else is written for a Guest; empty
// fields are left out.
type Draft struct {
	Path     string // what to type after vmctl up
	Name     string // of the machine, where it is not the file's
	Summary  string
	From     string // recipe to extend
	Guest    Guest
	Version  string // env.VERSION, or for Linux env.BOOT
	Language string // of Windows
	CPUs     string
	Memory   string
	Disk     string
}

// Text writes the draft as a recipe, with comments for whoever goes on with it.
func (d Draft) Text() ([]byte, error) {
	parsed, err := template.New("recipe").Funcs(template.FuncMap{
		"quote": tomledit.String,
		"plain": func(s string) string { return forms(s, "", false)[0] },
	}).Parse(draftText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, d); err != nil {
		return nil, fmt.Errorf("write recipe: %w", err)
	}
	return out.Bytes(), nil
}

// Propose fills in what is empty and has a sensible value on a host with so many
// processors and bytes of memory: up to half of each.
func (d *Draft) Propose(cpus int, memory int64) {
	if d.From != "" {
		return
	}
	c := contractOf(d.Guest)
	v, _ := FindVersion(d.Guest, d.Version)
	size := max(c.defaults.Memory.Bytes, v.Memory.Bytes)
	share := c.defaults.CPUs.Count
	if d.Guest != Demo {
		if size <= c.defaults.Memory.Bytes && size*2 <= memory/2 {
			size *= 2
		}
		share = min(4, max(share, cpus/2))
	}
	if d.Guest == MacOS && share == 3 {
		share = 2
	}
	if d.Guest == Windows {
		setDefault(&d.Language, c.env["LANGUAGE"])
	}
	setDefault(&d.CPUs, CPUs{Count: min(share, max(cpus, 1))}.String())
	setDefault(&d.Memory, Size{Bytes: size}.String())
	setDefault(&d.Disk, Size{Bytes: max(c.defaults.Disk.Bytes, v.Disk.Bytes)}.String())
}

// Choose takes a version, and the catalog's title of it for the summary.
func (d *Draft) Choose(version string) {
	d.Version, d.Summary = version, version
	if v, ok := FindVersion(d.Guest, version); ok {
		d.Summary = v.Title
	}
}

// Problem tells what is wrong with a key of the draft, such as env.VERSION; nil is fine.
// What the recipe says besides is left out of it, and so is what it extends.
func (d Draft) Problem(key string) error {
	text, err := d.Text()
	if err != nil {
		return err
	}
	_, err = Parse(text, "")
	var problems Problems
	if !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		if p.Field == key {
			return errors.New(p.Message)
		}
	}
	return nil
}

// UsualVersion is the version that most people want of a guest; "" for the demo.
func UsualVersion(g Guest) string {
	return map[Guest]string{Windows: "11", MacOS: "15", Linux: "debian"}[g]
}

// VersionKey is the key that says what a guest's image installs, or "" for the demo.
func VersionKey(g Guest) string {
	switch g {
	case Windows, MacOS:
		return "env.VERSION"
	case Linux:
		return "env.BOOT"
	}
	return ""
}

const draftText = `# vmctl up {{.Path}}
{{- if .From}}
# Only what differs from {{.From}} needs saying; for the rest: vmctl recipes show {{.From}}
extends = {{quote .From}}
{{- end}}
{{- with .Name}}
name = {{quote .}}
{{- end}}
{{- with .Summary}}
summary = {{quote .}}
{{- end}}
{{- if not .From}}
guest = {{quote (printf "%s" .Guest)}}
{{- end}}
{{- if or .CPUs .Memory .Disk}}

[resources]
{{- with .CPUs}}
cpus = {{plain .}}
{{- end}}
{{- with .Memory}}
memory = {{quote .}}
{{- end}}
{{- with .Disk}}
disk = {{quote .}} # takes up what is used of it; may grow later, and never shrinks
{{- end}}
{{- end}}
{{- if .Version}}

[env]
{{if eq .Guest "linux"}}BOOT{{else}}VERSION{{end}} = {{quote .Version}} # cannot change once the machine exists
{{- with .Language}}
LANGUAGE = {{quote .}} # nor can this
{{- end}}
{{- end}}
{{- if .Guest}}

[[ports]]
name = "viewer" # the screen, in a browser
guest = 8006
host = "8006+" # or the next free one
{{- if eq .Guest "windows"}}

[[ports]]
name = "rdp" # remote desktop
guest = 3389
host = "3389+"
{{- end}}
{{- if eq .Guest "linux"}}

[[ports]]
name = "ssh"
guest = 22
host = "2222+"
{{- end}}
{{- end}}
`
