// Package secret fetches values that are kept out of recipes: a password in a file, in
// vmctl's own environment, printed by a program, or in the desktop's keyring.
//
//	value, err := secret.Fetch(ctx, secret.Source{Keyring: "vmctl/windows-11"}, os.Getenv)
//
// A value is one line and not empty; the line's end is not part of it. The package keeps
// no value and writes none anywhere, also not into its errors. What a program prints on
// its standard error is not taken for secret.
package secret
