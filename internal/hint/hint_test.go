package hint

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestHint(t *testing.T) {
	if With(nil, "x") != nil {
		t.Error("With(nil) is not nil")
	}
	err := fmt.Errorf("outer: %w", With(io.EOF, "type %q", "vmctl ls"))
	if got, want := err.Error(), "outer: EOF"; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
	if got, want := Of(err), `type "vmctl ls"`; got != want {
		t.Errorf("Of = %q, want %q", got, want)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("errors.Is does not see through a hint")
	}
	if got := Of(io.EOF); got != "" {
		t.Errorf("Of(plain) = %q", got)
	}
	if got := Of(With(err, "better")); got != "better" {
		t.Errorf("the outermost hint does not win: %q", got)
	}
}
