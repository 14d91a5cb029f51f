package machine

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

func TestParseChord(t *testing.T) {
	for text, want := range map[string]string{
		"ctrl-alt-del": "ctrl-alt-delete", "Alt+F4": "alt-f4", "a": "a", "7": "7", "Win": "meta_l", "ctrl-alt-f2": "ctrl-alt-f2",
		"return": "ret", "shift-minus": "shift-minus", "kp_5": "kp_5",
	} {
		if got, err := ParseChord(text); err != nil || got.String() != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "ctrl-nothing", "é", "a b", "ctrl-alt-del\nquit", "f25"} {
		if got, err := ParseChord(text); !errors.Is(err, ErrKeys) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, name := range KeyNames() {
		if _, err := ParseChord(name); err != nil {
			t.Error(err)
		}
	}
}

func TestChordsOf(t *testing.T) {
	for text, want := range map[string]string{
		"aZ0":   "a shift-z 0",
		"-_ \n": "minus shift-minus spc ret",
		`'"~|`:  "apostrophe shift-apostrophe shift-grave_accent shift-backslash",
		"!)(?":  "shift-1 shift-0 shift-9 shift-slash",
	} {
		chords, err := ChordsOf(text)
		var got []string
		for _, c := range chords {
			got = append(got, c.String())
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := ChordsOf("naïve"); !errors.Is(err, ErrKeys) {
		t.Error(err)
	}
	for r := rune(' '); r < 127; r++ {
		if chords, err := ChordsOf(string(r)); err != nil {
			t.Errorf("%q: %v", r, err)
		} else if _, err := ParseChord(chords[0].String()); err != nil {
			t.Errorf("%q: %v", r, err)
		}
	}
}

// TestSendKeys sends more than QEMU's queue holds, and gets what QEMU does not like.
func TestSendKeys(t *testing.T) {
	r := newRig(t)
	r.up(t, "demo")
	var got [][]string
	r.rt.OnExec(containerName, func(c critest.ExecCall) critest.ExecResult {
		lines := c.Cmd[4:]
		got = append(got, lines)
		out := "QEMU 10.0.2 monitor\r\n(qemu) "
		for _, line := range lines {
			out += line + "\x1b[K\r\n"
			if strings.Contains(line, "f13") {
				out += "unknown key: 'f13'\r\n"
			}
			out += "(qemu) "
		}
		return critest.ExecResult{ExecResult: cri.ExecResult{Stdout: []byte(out)}}
	})
	chords, err := ChordsOf(strings.Repeat("x", keysAtOnce+1))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.SendKeys(t.Context(), "demo", chords...); err != nil || len(got) != 2 || len(got[0]) != keysAtOnce || !slices.Equal(got[1], []string{"sendkey x 20"}) {
		t.Errorf("%v, sent %q", err, got)
	}
	if err := r.SendKeys(t.Context(), "demo", Chord{"a"}, Chord{"f13"}); !errors.Is(err, errMonitor) || !strings.Contains(err.Error(), "unknown key") {
		t.Error(err)
	}
	r.down(t, "demo")
	if err := r.SendKeys(t.Context(), "demo", Chord{"a"}); !errors.Is(err, ErrPhase) {
		t.Error(err)
	}
}
