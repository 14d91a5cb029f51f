package recipe

import (
	"maps"
	"slices"
	"strings"
)

// Secret says where the value of a variable is kept, so that the recipe does not hold
// it. Exactly one of its fields is set.
type Secret struct {
	File    string   // absolute path of a file that holds the value
	Env     string   // variable of vmctl's own environment
	Command []string // program and arguments that print the value; one alone is for sh
	Keyring string   // "SERVICE/ACCOUNT" in the desktop's keyring (Secret Service)
}

// String says where the secret is, not what it is.
func (s Secret) String() string {
	switch {
	case s.File != "":
		return "file " + s.File
	case s.Env != "":
		return "variable " + s.Env
	case len(s.Command) > 0:
		return "command " + s.Command[0]
	}
	return "keyring " + s.Keyring
}

// openEnv are the variables that the launcher itself must read, or that decide what is
// on the disk, so that they cannot be secret.
func openEnv(c Contract) []string {
	return append([]string{envMemory, envCPUs, envDisk, envTimeout, envCommand, UserPorts, envArguments, envNetwork, envDHCP,
		envDisplay, envProtect, envAudio, envWidth, envHeight, "KVM", "MANUAL", "SERIAL", "SHUTDOWN"}, c.IdentityEnv...)
}

func (d *reader) checkSecrets(r *Recipe) {
	c := r.Contract()
	for _, name := range slices.Sorted(maps.Keys(r.Secrets)) {
		at := join("secrets", name)
		s := r.Secrets[name]
		kinds := 0
		for _, given := range []bool{s.File != "", s.Env != "", len(s.Command) > 0, s.Keyring != ""} {
			if given {
				kinds++
			}
		}
		_, plain := r.Env[name]
		_, broken := contractEnv()[name]
		service, account, slash := strings.Cut(s.Keyring, "/")
		switch {
		case !envName.MatchString(name):
			d.report(at, "not a name for a variable; write letters, digits and _")
		case kinds != 1:
			d.report(at, "must have one of file, env, command and keyring")
		case broken || slices.Contains(openEnv(c), name):
			d.report(at, "cannot be secret: the launcher must know it; write it in [env], or in its own key")
		case plain:
			d.report(join("env", name), "set twice; remove it: secrets.%s has the say", name)
		case s.Env != "" && !envName.MatchString(s.Env):
			d.report(at+".env", "not a name for a variable: %q", s.Env)
		case s.Keyring != "" && (!slash || service == "" || account == ""):
			d.report(at+".keyring", `must be "SERVICE/ACCOUNT", not %q`, s.Keyring)
		case len(s.Command) > 0 && s.Command[0] == "":
			d.report(at+".command", "empty; write the program that prints the value")
		}
	}
}

// readSecrets reads the free table of secrets.
func readSecrets(r *Recipe) form {
	of := func(s *Secret) []field {
		return []field{
			{"file", "a file that holds the value: relative to the recipe's file", hostPath(&s.File)},
			{"env", "a variable of vmctl's own environment", text(&s.Env)},
			{"command", "a program that prints the value: its words, or one line for sh", list(&s.Command, true)},
			{"keyring", `"SERVICE/ACCOUNT" in the desktop's keyring`, text(&s.Keyring)},
		}
	}
	item := shape{types: []string{"object"}, fields: of(&Secret{})}
	return form{shape{types: []string{"object"}, others: &item}, func(d *reader, at string, v *value) {
		if !v.isTable() {
			d.report(at, "must be a table, not %s", v.describe())
			return
		}
		for _, name := range v.keys {
			s := Secret{}
			before := len(d.problems)
			d.readTable(join(at, name), v.fields[name], of(&s))
			if len(d.problems) > before {
				continue // what is left of it would be judged again
			}
			if r.Secrets == nil {
				r.Secrets = map[string]Secret{}
			}
			r.Secrets[name] = s
		}
	}}
}
