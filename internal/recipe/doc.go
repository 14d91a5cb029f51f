// Package recipe is the file that says how to make a machine.
//
// A recipe is a small TOML file that people keep in their dotfiles:
//
//	summary = "Windows 11 for the accountant"
//	guest = "windows"
//
//	[resources]
//	memory = "8G"
//
//	[env]
//	VERSION = "11"
//
// Reading one is strict. Every problem is reported at once, each at its place and
// with what to write instead:
//
//	r, err := recipe.Load("win.toml")
//	// win.toml:5:1: resources.memroy: unknown key; did you mean "memory"?
//
// A Recipe that was read is complete: what the file leaves open is filled in from
// the contract of its guest (see Contract), so that what it says, and what its
// container is told (Environment), does not change when a default does. Marshal
// writes that complete form, which is what a machine keeps.
//
// Files are found by a Catalog: the user's folders first, then the bundled ones. A
// recipe may extend another one of the catalog or a file.
//
// The package knows what the images expect, and nothing of container runtimes,
// running machines or ports in use. Parse looks at no file; Load and CheckPaths
// look only whether the paths that a recipe names are there. It keeps no secrets: a
// password in env is in the frozen copy too.
package recipe
