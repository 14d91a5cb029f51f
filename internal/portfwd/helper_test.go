package portfwd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.IPv6Loopback()
	any4      = netip.IPv4Unspecified()
	any6      = netip.IPv6Unspecified()
)

// TestMain lets the test binary be another process that holds a port: it listens on the
// network and address given in the environment, or relays to an address, prints its port,
// and ends with its standard input.
func TestMain(m *testing.M) {
	network, addr, ok := strings.Cut(os.Getenv("PORTFWD_TEST_LISTEN"), "|")
	if !ok {
		os.Exit(m.Run())
	}
	if network == "agent" {
		if err := runAgent(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	var port int
	var err error
	if strings.HasPrefix(network, "relay") {
		port, err = relayTo(addr, network == "relay-plain")
	} else {
		port, _, err = listenOn(network, addr)
	}
	fmt.Println(port, err)
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// relayTo relays to a guest at addr from any port; plain keeps splice(2) from being used.
func relayTo(addr string, plain bool) (int, error) {
	s, err := Serve(Forward{Address: loopback4, GuestPort: 1, Protocol: TCP, Via: Relay}, func(ctx context.Context, _ Forward) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil && plain {
			return struct{ duplex }{c.(*net.TCPConn)}, nil
		}
		return c, err
	}, Limits{})
	if err != nil {
		return 0, err
	}
	return s.Forward().HostPort, nil
}

func listenOn(network, addr string) (port int, c io.Closer, err error) {
	if strings.HasPrefix(network, "udp") {
		l, err := net.ListenPacket(network, addr)
		if err != nil {
			return 0, nil, err
		}
		return l.LocalAddr().(*net.UDPAddr).Port, l, nil
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return 0, nil, err
	}
	return l.Addr().(*net.TCPAddr).Port, l, nil
}

// holdPort listens in this process until the test ends.
func holdPort(t *testing.T, network, addr string) int {
	t.Helper()
	port, c, err := listenOn(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return port
}

// holdPortElsewhere listens in a child process until the test ends.
func holdPortElsewhere(t *testing.T, network, addr string) (port, pid int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "PORTFWD_TEST_LISTEN="+network+"|"+addr)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	number, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	port, err = strconv.Atoi(number)
	if err != nil || rest != "<nil>" {
		t.Fatalf("child said %q", line)
	}
	return port, cmd.Process.Pid
}

func forward(p Protocol, a netip.Addr, port int) Forward {
	return Forward{Name: "test", Address: a, HostPort: port, GuestPort: 1, Protocol: p}
}
