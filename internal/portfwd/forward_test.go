package portfwd

import (
	"net/netip"
	"testing"
)

func TestForwardText(t *testing.T) {
	for _, c := range []struct {
		f                Forward
		text, local, url string
	}{
		{Forward{Address: loopback4, HostPort: 13389, GuestPort: 3389, Protocol: TCP},
			"127.0.0.1:13389->3389/tcp", "127.0.0.1:13389", "http://127.0.0.1:13389/"},
		{Forward{Address: loopback6, HostPort: 53, GuestPort: 53, Protocol: UDP},
			"[::1]:53->53/udp", "[::1]:53", "http://[::1]:53/"},
		{Forward{Address: any4, HostPort: 8006, GuestPort: 8006, Protocol: TCP},
			"0.0.0.0:8006->8006/tcp", "127.0.0.1:8006", "http://127.0.0.1:8006/"},
		{Forward{Address: any6, HostPort: 8006, GuestPort: 8006, Protocol: TCP},
			"[::]:8006->8006/tcp", "[::1]:8006", "http://[::1]:8006/"},
		{Forward{Address: netip.MustParseAddr("192.0.2.7"), HostPort: 1, GuestPort: 2, Protocol: TCP},
			"192.0.2.7:1->2/tcp", "192.0.2.7:1", "http://192.0.2.7:1/"},
	} {
		if got := c.f.String(); got != c.text {
			t.Errorf("String() = %q, want %q", got, c.text)
		}
		if got := c.f.Local().String(); got != c.local {
			t.Errorf("Local() = %q, want %q", got, c.local)
		}
		if got := c.f.URL("http"); got != c.url {
			t.Errorf("URL() = %q, want %q", got, c.url)
		}
	}
	f := forward(TCP, loopback4, 5900)
	if got := f.URL("vnc"); got != "vnc://127.0.0.1:5900" {
		t.Errorf("URL(vnc) = %q", got)
	}
}

func TestValidate(t *testing.T) {
	for _, f := range []Forward{
		{}, forward("sctp", loopback4, 1), forward(TCP, netip.Addr{}, 1),
		forward(TCP, loopback4, 0), forward(UDP, loopback4, 65536), forward(TCP, loopback4, -1),
	} {
		if err := Check(f); err == nil {
			t.Errorf("Check(%+v) accepted it", f)
		}
	}
}
