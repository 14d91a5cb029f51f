// Package tomledit changes single values in TOML text and leaves every other byte as
// it is: comments, order, blank lines, quoting, indentation and line endings.
//
//	d, err := tomledit.Parse(data)
//	err = d.Set(tomledit.Keys("resources", "memory"), `"16G"`)
//	data = d.Bytes()
//
// The TOML libraries for Go either lose comments or write the whole document anew in
// a format of their own (github.com/pelletier/go-toml issue 457,
// github.com/creachadair/tomledit). Here the text itself is the document. go-toml's
// parser tells where each key and value stands (layout.go), an edit is a few pieces of
// text put in or taken out (splice.go), and before it counts, the new text is decoded
// and compared with what it should mean (check.go).
//
// What is written where:
//
//   - a value that is there is replaced, whatever its form; the rest of its line stays
//   - a new key follows the last key of its table, written as that is: on a line of its
//     own, dotted, or within the braces
//   - a new table is a section at the end; within another table it is an inline table
//   - a removed key takes its line with it, and the table that it was the last key of,
//     unless there are comments in that; comments on lines of their own stay
package tomledit
