package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"vmctl/internal/app"
	"vmctl/internal/hint"
	"vmctl/internal/recipe"
)

// overrides are the options that change a recipe on the command line.
type overrides struct {
	name   string
	set    []string
	cpus   string
	memory string
	disk   string
	ports  []string
	mounts []string
	env    []string
}

func (o *overrides) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "`NAME` of the machine (default: the recipe's)")
	f.StringArrayVar(&o.set, "set", nil, "`KEY=VALUE` changes a key of the recipe, as resources.memory=16G; repeatable")
	f.StringVar(&o.cpus, "cpus", "", "`N` virtual processors")
	f.StringVar(&o.memory, "memory", "", "`SIZE` of the memory, as 8G")
	f.StringVar(&o.disk, "disk", "", "`SIZE` of the disk, as 100G")
	f.StringArrayVar(&o.ports, "port", nil, "`HOST:GUEST[/udp]` forwards a port; HOST is 8080, 8080+ or any; repeatable")
	f.StringArrayVar(&o.mounts, "mount", nil, "`SOURCE:TARGET[:ro]` shows a host path in the container; repeatable")
	f.StringArrayVar(&o.env, "env", nil, "`NAME=VALUE` in the image's environment; repeatable")
	registerCompletion(cmd)
}

// list is the overrides in the form that recipe.Apply reads: --set first, so that
// the named options win.
func (o *overrides) list() []string {
	out := append([]string(nil), o.set...)
	for _, single := range []struct{ key, value string }{{"cpus", o.cpus}, {"memory", o.memory}, {"disk", o.disk}} {
		if single.value != "" {
			out = append(out, single.key+"="+single.value)
		}
	}
	for _, many := range []struct {
		key    string
		values []string
	}{{"port", o.ports}, {"mount", o.mounts}, {"env", o.env}} {
		for _, v := range many.values {
			out = append(out, many.key+"="+v)
		}
	}
	return out
}

// all is what changes the recipe, the later wins: the environment, then the options.
func (o *overrides) all(a *app.App) ([]recipe.Override, error) {
	out, err := a.Overrides()
	if err != nil {
		return nil, usageError{err}
	}
	for _, text := range o.list() {
		out = append(out, recipe.Override{Text: text, From: "command line"})
	}
	return out, nil
}

// target finds the recipe that arg means and applies the overrides to it. r is nil
// for a machine that exists without a recipe of its name.
func (o *overrides) target(a *app.App, arg string) (name string, r *recipe.Recipe, err error) {
	if name, r, err = a.Target(arg, o.name); err != nil {
		return "", nil, err
	}
	list, err := o.all(a)
	if err != nil {
		return "", nil, err
	}
	switch {
	case r == nil && len(o.list()) == 0:
		return name, nil, nil
	case r == nil:
		return "", nil, hint.With(usageError{fmt.Errorf("machine %q exists, and no recipe of that name: there is nothing to change", name)},
			"name the recipe's file and the machine: vmctl up FILE --name %s", name)
	}
	return name, r, r.Override(list)
}
