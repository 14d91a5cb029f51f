//go:build e2e

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// lan is a local network of the test's own: one end of a cable is a link of this host,
// the other one of another computer, which gives out the addresses.
type lan struct {
	link string // of this host
	ns   netns.NsHandle
}

const lanSubnet = "10.77.201."

func newLAN(t *testing.T) *lan {
	t.Helper()
	l := &lan{link: fmt.Sprintf("vmlan%d", os.Getpid()%10000)}
	here, err := netns.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its namespace
		l.ns, err = netns.New()
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ns.Close() })
	cable := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: l.link}, PeerName: "lan0", PeerNamespace: netlink.NsFd(int(l.ns))}
	if err := netlink.LinkAdd(cable); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := netlink.LinkDel(cable); err != nil {
			t.Error(err)
		}
	})
	if err := netlink.LinkSetUp(cable); err != nil {
		t.Fatal(err)
	}
	there, err := netlink.NewHandleAt(l.ns)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	end, err := there.LinkByName("lan0")
	if err == nil {
		err = there.AddrAdd(end, &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(lanSubnet + "1"), Mask: net.CIDRMask(24, 32)}})
	}
	if err == nil {
		err = there.LinkSetUp(end)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.serveAddresses(t)
	return l
}

// serveAddresses runs a DHCP server on the other computer.
func (l *lan) serveAddresses(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "udhcpd.conf")
	text := fmt.Sprintf("interface lan0\nstart %s10\nend %s20\nlease_file %s\noption subnet 255.255.255.0\noption router %s1\n", lanSubnet, lanSubnet, filepath.Join(dir, "leases"), lanSubnet)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("busybox", "udhcpd", "-f", config)
	l.there(t, cmd.Start)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// there runs f on the other computer.
func (l *lan) there(t *testing.T, f func() error) {
	t.Helper()
	if err := l.tryThere(f); err != nil {
		t.Fatal(err)
	}
}

func (l *lan) tryThere(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := netns.Set(l.ns)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// dial connects from the other computer.
func (l *lan) dial(_ context.Context, network, address string) (c net.Conn, err error) {
	err = l.tryThere(func() (err error) { c, err = net.DialTimeout(network, address, 500*time.Millisecond); return err })
	return c, err
}

// TestE2ELAN has a guest in a local network: another computer there reaches it, and not
// its screen; this host reaches its screen, through the runtime.
func TestE2ELAN(t *testing.T) {
	network := newLAN(t)
	u := newUser(t, "")
	u.env = append(u.env, "XDG_RUNTIME_DIR="+u.home)
	name := fmt.Sprintf("lan%d", os.Getpid())
	at := []string{"--runtime-name", name}
	if _, stderr, code := u.try(append(at, "runtime", "start", "--lan", "no-such-link")...); code == 0 || !strings.Contains(stderr, "no-such-link") {
		t.Errorf("a link that is not there: %d, %s", code, stderr)
	}
	endpoint := strings.TrimSpace(u.run(append(at, "runtime", "start", "--lan", network.link)...))
	t.Cleanup(func() {
		u.try(append(at, "runtime", "stop")...)
		_ = os.RemoveAll("/var/lib/vmctl/runtime/" + name)
		_ = os.Remove("/var/log/vmctl/containerd-" + name + ".log")
		if out, err := exec.Command("pgrep", "-f", "/run/vmctl/"+name+"/dhcp.sock").Output(); err == nil {
			t.Errorf("left: %s", out)
		}
	})
	u.env = append(u.env, "VMCTL_RUNTIME_ENDPOINT="+endpoint)
	u.run("image", "import", os.Getenv("VMCTL_E2E_DEMO"))
	u.deleteAtEnd("demo")
	if _, stderr, code := u.try("up", "demo", "--set", "network=lan"); code != 0 || !strings.Contains(stderr, "local network") {
		t.Fatalf("up: %d, %s", code, stderr)
	}
	m := u.show("demo")
	if len(m.Ports) != 2 {
		t.Errorf("ports %+v, want the viewer's and VNC's alone", m.Ports)
	}
	screen, err := net.Dial("tcp", m.hostPort(t, "vnc"))
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	if hello, err := bufio.NewReader(screen).ReadString('\n'); err != nil || hello != "RFB 003.008\n" {
		t.Errorf("the screen says %q, %v", hello, err)
	}
	network.findGuest(t)
	for n := 10; n <= 20; n++ { // the pod is one of them
		if c, err := network.dial(t.Context(), "tcp", fmt.Sprint(lanSubnet, n, ":5900")); err == nil {
			c.Close()
			t.Errorf("the other computer reaches VNC at %s%d", lanSubnet, n)
		}
	}
	if out := u.run("ports", "demo", "--check"); !strings.Contains(out, "stream") || !strings.Contains(out, "answers") {
		t.Errorf("ports:\n%s", out)
	}
	u.run("stop", "demo")
}

// findGuest looks for the guest's web server at all addresses that were given out.
func (l *lan) findGuest(t *testing.T) {
	t.Helper()
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DialContext: l.dial, DisableKeepAlives: true}}
	within(t, 40*time.Second, "the guest in the local network", func() error {
		for n := 10; n <= 20; n++ {
			resp, err := client.Get(fmt.Sprint("http://", lanSubnet, n, "/status.json"))
			if err != nil {
				continue
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err == nil && strings.Contains(string(body), `"counter"`) {
				return nil
			}
		}
		return fmt.Errorf("nobody answers at %s10 to %s20", lanSubnet, lanSubnet)
	})
}
