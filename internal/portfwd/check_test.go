package portfwd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestCheckNamesTheOwner(t *testing.T) {
	for _, c := range []struct {
		name, network, addr string
		f                   Forward // its port is filled in
	}{
		{"same address", "tcp4", "127.0.0.1:0", forward(TCP, loopback4, 0)},
		{"listener on every IPv4 address", "tcp4", "0.0.0.0:0", forward(TCP, loopback4, 0)},
		{"listener on every address", "tcp", "[::]:0", forward(TCP, loopback4, 0)},
		{"we want every address", "tcp4", "127.0.0.1:0", forward(TCP, any4, 0)},
		{"IPv6", "tcp6", "[::1]:0", forward(TCP, loopback6, 0)},
		{"IPv6 wildcard", "tcp", "[::]:0", forward(TCP, loopback6, 0)},
		{"we want every IPv6 address", "tcp6", "[::1]:0", forward(TCP, any6, 0)},
		{"UDP", "udp4", "127.0.0.1:0", forward(UDP, loopback4, 0)},
		{"UDP wildcard", "udp4", "0.0.0.0:0", forward(UDP, loopback4, 0)},
		{"UDP on every address", "udp", "[::]:0", forward(UDP, loopback4, 0)},
		{"UDP IPv6", "udp6", "[::1]:0", forward(UDP, loopback6, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			port, pid := holdPortElsewhere(t, c.network, c.addr)
			c.f.HostPort = port
			err := Check(c.f)
			var taken *TakenError
			if !errors.Is(err, ErrTaken) || !errors.As(err, &taken) {
				t.Fatalf("Check = %v, want a *TakenError", err)
			}
			o := taken.Owner
			if o.PID != pid || !strings.HasPrefix(o.Command, "portfwd.") || o.UID != os.Geteuid() || o.Inode == 0 || o.User == "" {
				t.Errorf("owner = %+v, want pid %d", o, pid)
			}
			want := fmt.Sprintf("port %s/%s is taken by %s (pid %d)", c.f.Host(), c.f.Protocol, o.Command, pid)
			if err.Error() != want {
				t.Errorf("error is %q, want %q", err, want)
			}
		})
	}
}

func TestCheckFree(t *testing.T) {
	for _, c := range []struct {
		name, network, addr string
		f                   Forward
	}{
		{"other protocol: TCP is taken, we want UDP", "tcp4", "127.0.0.1:0", forward(UDP, loopback4, 0)},
		{"other protocol: UDP is taken, we want TCP", "udp4", "127.0.0.1:0", forward(TCP, loopback4, 0)},
		{"other address", "tcp4", "127.0.0.2:0", forward(TCP, loopback4, 0)},
		{"other family", "tcp6", "[::1]:0", forward(TCP, loopback4, 0)},
		{"IPv6 wildcard without IPv4", "tcp6", "[::]:0", forward(TCP, loopback4, 0)}, // Go's tcp6 sets IPV6_V6ONLY
	} {
		t.Run(c.name, func(t *testing.T) {
			err := error(ErrTaken)
			for try := 0; errors.Is(err, ErrTaken) && try < 3; try++ { // somebody else may have the other one
				c.f.HostPort = holdPort(t, c.network, c.addr)
				err = Check(c.f)
			}
			if err != nil {
				t.Errorf("Check = %v, want nil", err)
			}
		})
	}
}

func TestCheckAfterRelease(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := forward(TCP, loopback4, l.Addr().(*net.TCPAddr).Port)
	c, err := net.Dial("tcp4", l.Addr().String()) // leaves a TIME_WAIT behind
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if err := Check(f); !errors.Is(err, ErrTaken) {
		t.Errorf("Check = %v, want ErrTaken", err)
	}
	l.Close()
	if err := Check(f); err != nil {
		t.Errorf("Check after close = %v", err)
	}
}

func TestCheckForeignAddress(t *testing.T) {
	err := Check(forward(TCP, netip.MustParseAddr("192.0.2.1"), 8006)) // TEST-NET-1, RFC 5737
	if err == nil || errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "192.0.2.1 is not an address of this host") {
		t.Errorf("Check = %v", err)
	}
}

// Without a right to look into other processes the port is taken all the same.
func TestCheckWithoutSeeingTheOwner(t *testing.T) {
	port, _ := holdPortElsewhere(t, "tcp4", "127.0.0.1:0")
	f := forward(TCP, loopback4, port)
	err := checker{proc: t.TempDir()}.check(f)
	var taken *TakenError
	if !errors.As(err, &taken) || taken.Owner.PID != 0 || taken.Owner.Inode == 0 {
		t.Fatalf("check = %v", err)
	}
	if want := fmt.Sprintf("port 127.0.0.1:%d/tcp is taken by a process of user %q", port, taken.Owner.User); err.Error() != want {
		t.Errorf("error is %q, want %q", err, want)
	}
}

// The same for real: a thread without privilege asks about root's socket.
func TestCheckUnprivileged(t *testing.T) {
	port, _ := holdPortElsewhere(t, "tcp4", "127.0.0.1:0")
	if os.Geteuid() != 0 {
		t.Log("not root: the child is ours, and its owner is visible")
		return
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its changed identity
		err := unix.Setfsuid(65534)
		if err == nil {
			hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			err = unix.Capset(&hdr, &make([]unix.CapUserData, 2)[0])
		}
		if err != nil {
			done <- err
			return
		}
		done <- Check(forward(TCP, loopback4, port))
	}()
	err := <-done
	want := fmt.Sprintf(`port 127.0.0.1:%d/tcp is taken by a process of user "root"`, port)
	if !errors.Is(err, ErrTaken) || err.Error() != want {
		t.Errorf("Check = %v, want %q", err, want)
	}
}

func TestOwnerText(t *testing.T) {
	for want, o := range map[string]Owner{
		"nginx (pid 123)":                  {PID: 123, Command: "nginx", Inode: 1},
		"pid 123":                          {PID: 123, Inode: 1},
		`a process of user "www-data"`:     {UID: 33, User: "www-data", Inode: 1},
		"a process of user id 4711":        {UID: 4711, Inode: 1},
		"another process":                  {},
		"the forward of another container": {Forward: true},
	} {
		if got := o.String(); got != want {
			t.Errorf("%+v is %q, want %q", o, got, want)
		}
	}
}

func TestHolder(t *testing.T) {
	proc := t.TempDir()
	for pid, target := range map[int]string{20: "socket:[7]", 3: "socket:[7]", 1: "pipe:[7]"} {
		dir := filepath.Join(proc, strconv.Itoa(pid), "fd")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, "5")); err != nil {
			t.Fatal(err)
		}
	}
	c := checker{proc: proc}
	for inode, want := range map[uint32]int{7: 3, 8: 0, 0: 0} {
		if got := c.holder(inode); got != want {
			t.Errorf("holder(%d) = %d, want %d", inode, got, want)
		}
	}
	if got := (checker{proc: proc + "/absent"}).holder(7); got != 0 {
		t.Errorf("holder without /proc = %d", got)
	}
}

func TestConflicts(t *testing.T) {
	sock := func(family uint8, state uint8, addr string, port uint16) *netlink.Socket {
		return &netlink.Socket{Family: family, State: state, ID: netlink.SocketID{SourcePort: port, Source: net.ParseIP(addr)}}
	}
	const listen, established = netlink.TCP_LISTEN, netlink.TCP_ESTABLISHED
	for _, c := range []struct {
		f    Forward
		s    *netlink.Socket
		want bool
	}{
		{forward(TCP, loopback4, 80), sock(unix.AF_INET, listen, "127.0.0.1", 80), true},
		{forward(TCP, loopback4, 80), sock(unix.AF_INET, listen, "127.0.0.1", 81), false},
		{forward(TCP, loopback4, 80), sock(unix.AF_INET, established, "127.0.0.1", 80), false},
		{forward(UDP, loopback4, 80), sock(unix.AF_INET, established, "127.0.0.1", 80), true},
		{forward(TCP, loopback4, 80), sock(unix.AF_INET, listen, "10.0.0.1", 80), false},
		{forward(TCP, loopback4, 80), sock(unix.AF_INET, listen, "0.0.0.0", 80), true},
		{forward(TCP, loopback4, 80), sock(unix.AF_INET6, listen, "::", 80), true},
		{forward(TCP, loopback4, 80), sock(unix.AF_INET6, listen, "::ffff:127.0.0.1", 80), true},
		{forward(TCP, loopback6, 80), sock(unix.AF_INET, listen, "0.0.0.0", 80), false},
		{forward(TCP, any6, 80), sock(unix.AF_INET6, listen, "fe80::1", 80), true},
		{forward(TCP, any6, 80), sock(unix.AF_INET, listen, "10.0.0.1", 80), false},
		{forward(TCP, any4, 80), sock(unix.AF_INET, listen, "10.0.0.1", 80), true},
		{forward(TCP, any4, 80), sock(unix.AF_INET6, listen, "::1", 80), false},
		{forward(TCP, loopback4, 80), &netlink.Socket{State: listen, ID: netlink.SocketID{SourcePort: 80}}, false},
	} {
		if got := conflicts(c.f, c.s); got != c.want {
			t.Errorf("conflicts(%s, %s:%d state %d) = %v", c.f, c.s.ID.Source, c.s.ID.SourcePort, c.s.State, got)
		}
	}
}
