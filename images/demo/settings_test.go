package demo

import (
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	tests := map[string]string{
		"256M": "268435456 256 MB", "1G": "1073741824 1 GB", "64GB": "68719476736 64 GB", "1.5g": "1610612736 1.5 GB",
		"100 G": "107374182400 100 GB", "10G": "10737418240 10 GB", "2T": "2199023255552 2 TB",
		"": "bad", "G": "bad", "-1G": "bad", "1Gi": "bad", "big": "bad", "1G; reboot": "bad",
	}
	for size, want := range tests {
		got, _ := run(t, t.TempDir(), `n=$(bytes "$SIZE") && echo "$n $(human "$n")" || echo bad`, "SIZE="+size)
		if got != want+"\n" {
			t.Errorf("size %q: got %q, want %q", size, got, want)
		}
	}
}

func TestUserPorts(t *testing.T) {
	got, _ := run(t, t.TempDir(), `user_ports | tr '\n' ' '`, "USER_PORTS=80,7/udp, 7/tcp,80")
	if want := "22/tcp 7/tcp 7/udp 80/tcp "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"http", "80/icmp", "1-5", "80,guestfwd=x/tcp"} {
		_, code := run(t, t.TempDir(), `SUBNET=10.0.0 GATEWAY=10.0.0.1 GUEST_IP=10.0.0.2; start_user`, "USER_PORTS="+bad)
		if code != 24 {
			t.Errorf("USER_PORTS=%q: exit code %d, want 24", bad, code)
		}
	}
}

func TestAddressIsAHashOfTheShortName(t *testing.T) {
	const script = `hostname() { echo "${NAME%%.*}"; }; set_mac; echo "$MAC"`
	dir := t.TempDir()
	first, _ := run(t, dir, script, "NAME=one.example")
	other, _ := run(t, t.TempDir(), script, "NAME=two.example")
	if !strings.HasPrefix(first, "02:") || first == other {
		t.Errorf("got %q and %q, want two local addresses that differ", first, other)
	}
	if kept, _ := run(t, dir, script, "NAME=two.example"); kept != first {
		t.Errorf("got %q after the name changed, want the saved %q", kept, first)
	}
	if _, code := run(t, dir, script, "NAME=x", "MAC=02:00"); code != 28 {
		t.Errorf("exit code %d for a bad MAC, want 28", code)
	}
}
