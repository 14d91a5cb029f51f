package machine

import (
	"net/netip"
	"strings"
	"testing"
)

// FuzzParseChord: what is accepted is one word for QEMU's monitor, and means the same again.
func FuzzParseChord(f *testing.F) {
	for _, text := range []string{"ctrl-alt-del", "Alt+F4", "a", "--", "meta_l-r", "kp_5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseChord(text)
		if err != nil {
			return
		}
		again, err := ParseChord(c.String())
		if err != nil || again.String() != c.String() || strings.ContainsAny(c.String(), " \t\r\n") {
			t.Errorf("%q: %q, then %q, %v", text, c, again, err)
		}
	})
}

// FuzzConnections: whatever a pod prints is read without a panic, and more of it never makes
// a machine that is used look unused.
func FuzzConnections(f *testing.F) {
	f.Add(podSockets+viewerOpen, rdpTracked)
	f.Add(podSockets+viewerOpen6, outTracked)
	f.Add("a b c 01\n:0 :0 :0 0A", "dst=\ndst=::1 x")
	pod := netip.MustParseAddr("10.213.3.2")
	f.Fuzz(func(t *testing.T, sockets, tracked string) {
		if socketsUsed(sockets, pod) && !socketsUsed(sockets+"\n"+podSockets, pod) {
			t.Error("sockets")
		}
		if translated(tracked, pod) && !translated(tracked+"\n"+outTracked, pod) {
			t.Error("connections")
		}
	})
}
