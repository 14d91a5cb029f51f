// Package hint carries the next command to type along with an error.
//
// A driver that knows the way out says it where it knows it:
//
//	return hint.With(err, "start the private runtime: sudo vmctl runtime start")
//
// and the top floor, which alone prints, takes it out again:
//
//	fmt.Fprintln(stderr, "vmctl: error:", err)
//	if h := hint.Of(err); h != "" {
//		fmt.Fprintln(stderr, "vmctl: hint:", h)
//	}
//
// A hint never becomes part of the error's text, so wrapping stays readable, and
// errors.Is and errors.As see through it.
package hint

import (
	"errors"
	"fmt"
)

type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// With returns err carrying a hint formatted as fmt.Sprintf does. A nil err stays
// nil.
func With(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err: err, hint: fmt.Sprintf(format, args...)}
}

// Of returns the outermost hint that err carries, or "".
func Of(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}
