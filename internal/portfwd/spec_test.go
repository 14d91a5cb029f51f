package portfwd

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestParseSpec(t *testing.T) {
	four, six := netip.MustParseAddr("127.0.0.2"), netip.IPv6Loopback()
	for text, want := range map[string][]Spec{
		"8080:80":              {{Host: 8080, Guest: 80, Protocol: TCP}},
		"8080+:80/tcp":         {{Host: 8080, Next: true, Guest: 80, Protocol: TCP}},
		"any:53/udp":           {{Guest: 53, Protocol: UDP}},
		"127.0.0.2:8080:80":    {{Address: four, Host: 8080, Guest: 80, Protocol: TCP}},
		"[::1]:8080:80":        {{Address: six, Host: 8080, Guest: 80, Protocol: TCP}},
		"::1:any:80":           {{Address: six, Guest: 80, Protocol: TCP}},
		"::ffff:127.0.0.2:1:2": {{Address: four, Host: 1, Guest: 2, Protocol: TCP}},
		"5000-5001:6000-6001":  {{Host: 5000, Guest: 6000, Protocol: TCP}, {Host: 5001, Guest: 6001, Protocol: TCP}},
		"any:6000-6001/udp":    {{Guest: 6000, Protocol: UDP}, {Guest: 6001, Protocol: UDP}},
		"7-7:8":                {{Host: 7, Guest: 8, Protocol: TCP}},
	} {
		got, err := ParseSpec(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseSpec(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseSpecErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                 `""; write HOST:GUEST`,
		"80":               `"80"; write HOST:GUEST`,
		"80:":              `not a port: ""`,
		"80:0":             "port must be from 1 to 65535, not 0",
		"65536:1":          "not 65536",
		"x:80":             `not a port: "x"; write 8006`,
		"80:80/sctp":       `must be "tcp" or "udp", not "sctp"`,
		"80:80/":           `must be "tcp" or "udp", not ""`,
		"host:80:80":       `not an IP address: "host"`,
		"[127.0.0.1]:1:2":  `not an IP address: "[127.0.0.1]"`,
		"fe80::1%eth0:1:2": `not an IP address`,
		"1-3:1-2":          "1-3 and 1-2 are not equally many ports",
		"5000:1-2":         `write a range or "any" before the colon`,
		"5000+:1-2":        "not equally many",
		"3-1:1-3":          `range "3-1" goes down`,
		"1-2+:1-2":         `not a port: "2+"`,
		"1-1001:1-1001":    "more than 1000 ports",
		"65535-65536:1-2":  "not 65536",
	} {
		got, err := ParseSpec(text)
		if err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("ParseSpec(%q) = %v, %v; want %q", text, got, err, want)
		}
	}
}

// What is read is complete and valid, and its text is read as the same.
func FuzzSpec(f *testing.F) {
	for _, s := range []string{"8080:80/udp", "8080+:80", "any:53-60", "127.0.0.1:1:2", "[::1]:1-3:2-4", "::1:2:3", ":", "1:2:3:4", "[::1:2", "1-65535:1-65535"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		specs, err := ParseSpec(text)
		if err == nil && len(specs) == 0 {
			t.Errorf("ParseSpec(%q) is nothing", text)
		}
		for _, s := range specs {
			if s.Guest < 1 || s.Guest > 65535 || s.Host < 0 || s.Host > 65535 || s.Next && s.Host == 0 || s.Protocol != TCP && s.Protocol != UDP {
				t.Fatalf("ParseSpec(%q) has %+v", text, s)
			}
			again, err := ParseSpec(s.String())
			if err != nil || len(again) != 1 || again[0] != s {
				t.Fatalf("ParseSpec(%q) has %v, whose text gives %v, %v", text, s, again, err)
			}
		}
	})
}
