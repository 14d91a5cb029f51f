package viewer

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// State is how far the guest's screen is.
type State int

// The states of a screen.
const (
	Down       State = iota // the page does not answer (yet), or says nothing about the guest
	Starting                // the image prepares to start QEMU
	Installing              // the image downloads or builds what it will start
	Ready                   // QEMU runs: there is a screen
)

func (s State) String() string {
	switch s {
	case Starting:
		return "starting"
	case Installing:
		return "installing"
	case Ready:
		return "ready"
	}
	return "down"
}

// Status is what the image's page says.
type Status struct {
	State State
	// Text is the page's line without markup and percentage: "Downloading Windows 11".
	// Of a state without a page it says why: "refuses connections".
	Text string
	// Percent is how much of what Text says is done, 0 to 100, or -1 when the page does
	// not say.
	Percent float64
}

// The ends of a line that upstream's own page reads as progress (qemus/qemu
// web/js/script.js parseProgress); dockur/macos leaves dots behind them.
const progressTail = `(?:\.{3})?\s*$`

// parseStatus reads the body of a /msg.html that is there.
func parseStatus(body string) Status {
	text := plain(body)
	s := Status{State: Starting, Text: text, Percent: -1}
	if m := regexp.MustCompile(`\s*\((\d+(?:\.\d+)?)%\)` + progressTail).FindStringSubmatchIndex(text); m != nil {
		if p, err := strconv.ParseFloat(text[m[2]:m[3]], 64); err == nil && p <= 100 {
			s.Percent, s.Text = p, text[:m[0]]
		}
	}
	sized := regexp.MustCompile(`(?i)\(\d+(?:\.\d+)?\s+[KMGTPE]?i?B\)` + progressTail).MatchString(text)
	s.Text = strings.TrimSpace(strings.TrimRight(s.Text, "."))
	switch lower := strings.ToLower(s.Text); {
	// With DISPLAY other than web the page stays (qemus/qemu src/finish.sh).
	case strings.Contains(lower, "you can now connect to vnc"), strings.Contains(lower, "booted successfully"):
		s.State = Ready
	case s.Percent >= 0, sized, installs(lower):
		s.State = Installing
	}
	return s
}

// installs knows the stages that come only when something is installed, by their verbs
// (src/install.sh of dockur/windows, dockur/macos and qemus/qemu).
func installs(lower string) bool {
	for _, verb := range []string{
		"request", "download", "extract", "install", "adding", "building", "creating",
		"writing", "convert", "retry", "copying", "detect", "importing",
	} {
		if strings.Contains(lower, verb) {
			return true
		}
	}
	return false
}

// plain returns a fragment's text without tags, with entities resolved and white space
// squeezed.
func plain(fragment string) string {
	z := html.NewTokenizer(strings.NewReader(fragment))
	var text strings.Builder
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.Join(strings.Fields(text.String()), " ")
		case html.TextToken:
			text.WriteString(z.Token().Data) // unescaped, unlike z.Text
		default:
			text.WriteByte(' ')
		}
	}
}
