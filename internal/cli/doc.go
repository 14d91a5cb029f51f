// Package cli is vmctl's command line.
//
// Main parses the arguments, runs one verb and returns the exit code; it reads and
// writes only the streams it is given, so a test runs it as a terminal would:
//
//	code := cli.Main(ctx, []string{"ls", "--json"}, cli.Streams{Out: &out, Err: &errs})
//
// One file is one verb: an options struct, a function that makes the cobra command,
// and a method that does the work and knows nothing of cobra. The rules of what is
// said to the user:
//
//   - what was asked for goes to standard output: a table, an address, JSON
//   - what happens on the way, notes and errors go to standard error
//   - an error is one line, "vmctl: error: ...", and where the way out is known
//     there is a second, "vmctl: hint: ...", with the next command to type
//   - with --json an error is an object on standard output
//   - nothing is capitalised, nothing ends in a full stop
//
// Nothing is decided here: verbs call internal/machine, internal/recipe and
// internal/containerd through internal/app.
package cli
