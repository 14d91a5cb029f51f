package machine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"vmctl/internal/hint"
)

// ErrKeys says that a key is not one that a guest's keyboard has.
var ErrKeys = errors.New("no such key")

// keyNames are QEMU's names of keys that are not a letter or a digit (QEMU qapi/ui.json,
// QKeyCode).
var keyNames = strings.Fields(`
	shift shift_r alt alt_r ctrl ctrl_r meta_l meta_r menu
	esc tab ret backspace spc delete insert home end pgup pgdn up down left right
	f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16 f17 f18 f19 f20 f21 f22 f23 f24
	minus equal bracket_left bracket_right semicolon apostrophe grave_accent backslash comma dot slash less
	caps_lock num_lock scroll_lock print sysrq pause
	kp_0 kp_1 kp_2 kp_3 kp_4 kp_5 kp_6 kp_7 kp_8 kp_9
	kp_add kp_subtract kp_multiply kp_divide kp_decimal kp_enter
	power sleep wake volumeup volumedown audiomute henkan muhenkan hiragana yen ro`)

// keyAliases are what people call keys that QEMU calls otherwise.
var keyAliases = map[string]string{
	"del": "delete", "ins": "insert", "enter": "ret", "return": "ret", "escape": "esc", "space": "spc", "pageup": "pgup", "pagedown": "pgdn",
	"control": "ctrl", "option": "alt", "altgr": "alt_r", "win": "meta_l", "super": "meta_l", "cmd": "meta_l", "meta": "meta_l", "capslock": "caps_lock",
}

// Chord is keys that are pressed together, by QEMU's names: ["ctrl", "alt", "delete"].
type Chord []string

// String is the chord as QEMU's sendkey takes it.
func (c Chord) String() string { return strings.Join(c, "-") }

// ParseChord reads keys joined by "-" or "+": "ctrl-alt-del", "alt+F4", "a". Capitals mean
// nothing; a capital letter is "shift-a". An unknown key is ErrKeys.
func ParseChord(text string) (Chord, error) {
	var c Chord
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == '-' || r == '+' }) {
		if qemu, ok := keyAliases[word]; ok {
			word = qemu
		}
		letter := len(word) == 1 && (word[0] >= 'a' && word[0] <= 'z' || word[0] >= '0' && word[0] <= '9')
		if !letter && !slices.Contains(keyNames, word) {
			return nil, hint.With(fmt.Errorf("%w: %q in %q", ErrKeys, word, text), "keys are a to z, 0 to 9, and: %s", strings.Join(KeyNames(), " "))
		}
		c = append(c, word)
	}
	if len(c) == 0 {
		return nil, fmt.Errorf("%w: %q", ErrKeys, text)
	}
	return c, nil
}

// KeyNames are the names that ParseChord takes, beside letters and digits: QEMU's, and what
// people call the same keys.
func KeyNames() []string {
	names := slices.Clone(keyNames)
	for alias := range keyAliases {
		names = append(names, alias)
	}
	slices.Sort(names)
	return names
}

// The signs of a US keyboard, with and without shift, and the names of their keys.
const (
	plainSigns   = "-=[];'`\\,./ \n\t"
	shiftedSigns = "_+{}:\"~|<>?"
	digitSigns   = ")!@#$%^&*("
)

var signKeys = strings.Fields("minus equal bracket_left bracket_right semicolon apostrophe grave_accent backslash comma dot slash spc ret tab")

// ChordsOf are the chords that type text on a US keyboard, which is what a guest must be set
// to. A sign that such a keyboard does not have is ErrKeys.
func ChordsOf(text string) ([]Chord, error) {
	var out []Chord
	for _, r := range text {
		c, ok := chordOf(r)
		if !ok {
			return nil, fmt.Errorf("%w: %q is not on a US keyboard", ErrKeys, r)
		}
		out = append(out, c)
	}
	return out, nil
}

func chordOf(r rune) (Chord, bool) {
	switch {
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		return Chord{string(r)}, true
	case r >= 'A' && r <= 'Z':
		return Chord{"shift", strings.ToLower(string(r))}, true
	}
	if i := strings.IndexRune(plainSigns, r); i >= 0 {
		return Chord{signKeys[i]}, true
	}
	if i := strings.IndexRune(shiftedSigns, r); i >= 0 {
		return Chord{"shift", signKeys[i]}, true
	}
	if i := strings.IndexRune(digitSigns, r); i >= 0 {
		return Chord{"shift", string(rune('0' + i))}, true
	}
	return nil, false
}
