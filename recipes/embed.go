// Package recipes is the bundled recipes.
//
//	catalog := recipe.NewCatalog(recipes.FS, userFolder)
//
// They are TOML files like a user's own and hold nothing that a user could not
// write; README.md beside them is the reference of every key. The package only
// carries the files: reading them is internal/recipe's work.
package recipes

import "embed"

// FS is the bundled recipes: files NAME.toml at the top, nothing else.
//
//go:embed *.toml
var FS embed.FS
