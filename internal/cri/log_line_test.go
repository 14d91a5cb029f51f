package cri

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseLogLine(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const stamp = "2026-11-21T02:12:55.50939996Z"
	for _, test := range []struct {
		line    string
		stream  string
		text    string
		time    string
		partial bool
	}{
		{stamp + " stdout F VMCTL_READY", "stdout", "VMCTL_READY", stamp, false},
		{stamp + " stderr P half of ", "stderr", "half of ", stamp, true},
		{stamp + " stdout F ", "stdout", "", stamp, false},
		{stamp + " stdout F", "stdout", "", stamp, false},
		{stamp + " stdout F   two  blanks", "stdout", "  two  blanks", stamp, false},
		{stamp + " stdout F:x:y tagged", "stdout", "tagged", stamp, false},
		{"2026-11-21T02:12:55.1+00:00 stdout F CRI-O's zone", "stdout", "CRI-O's zone", "2026-11-21T02:12:55.1Z", false},
		{"2026-11-21T02:12:55+05:30 stdout F ahead", "stdout", "ahead", "2026-11-20T20:42:55Z", false},
		{`{"log":"docker\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "docker", stamp, false},
		{`{"log":"cut","stream":"stderr","time":"` + stamp + `"}`, "stderr", "cut", stamp, true},
		{`{"log":"\u001b[1mé\n","stream":"stdout","time":"` + stamp + `"}`, "stdout", "\x1b[1mé", stamp, false},
	} {
		got, err := parseLogLine([]byte(test.line))
		if err != nil {
			t.Errorf("%q: %v", test.line, err)
			continue
		}
		want := logPart{LogLine: LogLine{Time: at(test.time), Stream: test.stream, Text: test.text}, partial: test.partial}
		if !got.Time.Equal(want.Time) {
			t.Errorf("%q: time %v, want %v", test.line, got.Time, want.Time)
		}
		got.Time, want.Time = time.Time{}, time.Time{}
		if got != want {
			t.Errorf("%q: %+v, want %+v", test.line, got, want)
		}
	}
}

func TestParseLogLineRefuses(t *testing.T) {
	for _, line := range []string{
		"", " ", "plain text", "now stdout F text", "2026-11-21T02:12:55Z", "2026-11-21T02:12:55Z stdout",
		"2026-11-21T02:12:55Z stdin F text", "2026-11-21T02:12:55Z stdout X text", "2026-13-21T02:12:55Z stdout F text",
		"{", "{}", `{"log":1}`, `{"log":"x\n","stream":"other","time":"2026-11-21T02:12:55Z"}`,
		`{"stream":"stdout","time":"2026-11-21T02:12:55Z"}`, `{"log":"x\n","stream":"stdout","time":"now"}`,
	} {
		if got, err := parseLogLine([]byte(line)); err == nil {
			t.Errorf("%q was accepted as %+v", line, got)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, seed := range []string{
		"2026-11-21T02:12:55.50939996Z stdout F VMCTL_READY",
		"2026-11-21T02:12:55.1+00:00 stderr P part",
		`{"log":"docker\n","stream":"stdout","time":"2026-11-21T02:12:55Z"}`,
		"", "{", "\x00 \xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		part, err := parseLogLine(line)
		if err != nil {
			if part != (logPart{}) {
				t.Errorf("an error and %+v", part)
			}
			return
		}
		if part.Stream != "stdout" && part.Stream != "stderr" {
			t.Errorf("stream %q", part.Stream)
		}
		if !strings.HasPrefix(string(line), "{") && !strings.HasSuffix(string(line), part.Text) {
			t.Errorf("text %q is not the end of %q", part.Text, line)
		}
	})
}

func TestLogJoiner(t *testing.T) {
	part := func(stream, text string, partial bool) logPart {
		return logPart{LogLine: LogLine{Stream: stream, Text: text, Time: time.Unix(int64(len(text)), 0)}, partial: partial}
	}
	var j logJoiner
	var got []LogLine
	for _, p := range []logPart{
		part("stdout", "a", true),
		part("stderr", "whole", false),
		part("stdout", "bb", true),
		part("stderr", "x", true),
		part("stdout", "ccc\r", false),
		part("stdout", "end\r", false),
	} {
		if l, ok := j.add(p); ok {
			got = append(got, l)
		}
	}
	got = append(got, j.flush()...)
	want := []LogLine{
		{Stream: "stderr", Text: "whole", Time: time.Unix(5, 0)},
		{Stream: "stdout", Text: "abbccc", Time: time.Unix(1, 0)}, // the time of its first part
		{Stream: "stdout", Text: "end", Time: time.Unix(4, 0)},
		{Stream: "stderr", Text: "x", Time: time.Unix(1, 0)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
	if left := j.flush(); left != nil {
		t.Errorf("flushed twice: %v", left)
	}
}

// Output without newlines must not fill the memory.
func TestLogJoinerLetsGo(t *testing.T) {
	var j logJoiner
	chunk := strings.Repeat("x", 16384)
	for n := 1; n <= maxLogLine/len(chunk); n++ {
		l, ok := j.add(logPart{LogLine: LogLine{Stream: "stdout", Text: chunk}, partial: true})
		if ok != (n == maxLogLine/len(chunk)) {
			t.Fatalf("part %d: line %t", n, ok)
		}
		if ok && len(l.Text) != maxLogLine {
			t.Errorf("line of %d bytes", len(l.Text))
		}
	}
}
