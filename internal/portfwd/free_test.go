package portfwd

import (
	"errors"
	"net/netip"
	"strconv"
	"testing"
)

func TestFreeSkipsTakenPorts(t *testing.T) {
	for _, p := range []Protocol{TCP, UDP} {
		t.Run(string(p), func(t *testing.T) {
			start := 65535
			for start > 65500 { // room for a few more above it
				start = holdPort(t, string(p)+"4", "127.0.0.1:0")
			}
			promised := start + 1
			got, err := Free(start, forward(p, loopback4, 0), func(port int, q Protocol) bool {
				return port == promised && q == p
			})
			if err != nil || got <= promised {
				t.Errorf("Free(%d) = %d, %v; want more than %d", start, got, err, promised)
			}
			if err := Check(forward(p, loopback4, got)); err != nil {
				t.Errorf("the port it found: %v", err)
			}
		})
	}
}

func TestFreeTakesStartWhenItCan(t *testing.T) {
	port, err := Free(0, forward(TCP, loopback4, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Free(port, forward(TCP, loopback4, 0), nil); got != port || err != nil {
		t.Errorf("Free(%d) = %d, %v", port, got, err)
	}
}

func TestFreeAny(t *testing.T) {
	for _, f := range []Forward{
		forward(TCP, loopback4, 0), forward(UDP, loopback4, 0), forward(TCP, loopback6, 0),
		forward(UDP, any6, 0), forward(TCP, any4, 0),
	} {
		first := 0
		port, err := Free(0, f, func(port int, _ Protocol) bool { // rule the first one out
			if first == 0 {
				first = port
			}
			return port == first
		})
		if err != nil || port == first || port < 1024 {
			t.Errorf("Free(0, %s %s) = %d, %v", f.Address, f.Protocol, port, err)
		}
	}
}

func TestFreeErrors(t *testing.T) {
	everything := func(int, Protocol) bool { return true }
	foreign := netip.MustParseAddr("192.0.2.1")
	for name, c := range map[string]struct {
		start int
		f     Forward
		taken func(int, Protocol) bool
		want  error // nil: any
	}{
		"range exhausted":    {65530, forward(TCP, loopback4, 0), everything, ErrNoFreePort},
		"tries exhausted":    {0, forward(UDP, loopback4, 0), everything, ErrNoFreePort},
		"negative start":     {-1, forward(TCP, loopback4, 0), nil, nil},
		"no protocol":        {0, forward("", loopback4, 0), nil, nil},
		"no address":         {8006, forward(TCP, netip.Addr{}, 0), nil, nil},
		"foreign address":    {8006, forward(TCP, foreign, 0), nil, nil},
		"foreign, any port":  {0, forward(TCP, foreign, 0), nil, nil},
		"foreign, any, UDP":  {0, forward(UDP, foreign, 0), nil, nil},
		"start out of range": {70000, forward(TCP, loopback4, 0), nil, ErrNoFreePort},
	} {
		port, err := Free(c.start, c.f, c.taken)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: Free = %s, %v; want %v", name, strconv.Itoa(port), err, c.want)
		}
	}
}
