//go:build e2e

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vmctl/internal/cri"
	"vmctl/internal/machine"
)

// chaos is two machines on one runtime, with transfers by every way into both. Machine a
// has user-mode networking, since stream reaches nothing else of a guest, and b has NAT and
// UDP: QEMU's user-mode networking mixes up the senders of datagrams when there are two.
type chaos struct {
	*user
	endpoint, runtime string
	transfers         []*transfer
	table             strings.Builder
}

// TestChaos breaks one thing after another while transfers run. What the thing carries
// must come back by itself, everything else must not notice, and no byte may be wrong.
// `make chaos` prints how long each took.
func TestChaos(t *testing.T) {
	for runtime, endpoint := range realRuntimes(t) {
		t.Run(runtime, func(t *testing.T) {
			c := newChaos(t, runtime, endpoint)
			c.fault("relay of b killed", "b", []string{"relay", "relay udp"}, func() { c.kill(c.agents("b")) })
			c.fault("relay of a killed", "a", []string{"relay", "stream"}, func() { c.kill(c.agents("a")) })
			c.fault("keeper of a killed", "a", nil, func() { c.kill(c.keepers("a")) })
			c.fault("both killed, then a look", "a", []string{"relay", "stream"}, func() {
				c.kill(append(c.agents("a"), c.keepers("a")...))
				c.user.run("ports", "a")
			})
			c.fault("machine b restarted", "b", []string{"direct", "hostport", "hostport udp", "relay", "relay udp"}, func() { c.user.run("restart", "b") })
			c.fault("machine a restarted", "a", []string{"direct", "hostport", "relay", "stream"}, func() { c.user.run("restart", "a") })
			c.fault("runtime killed and started", "a", []string{"stream"}, c.restartRuntime)
			c.end()
		})
	}
}

func newChaos(t *testing.T, runtime, endpoint string) *chaos {
	t.Helper()
	c := &chaos{user: newUser(t, endpoint), endpoint: endpoint, runtime: runtime}
	c.env = append(c.env, "XDG_RUNTIME_DIR="+c.home)
	c.deleteAtEnd("a")
	c.deleteAtEnd("b")
	c.user.run("up", "demo", "--name", "a", "--set", "network=user", "--set", "ports.echo.via=hostport")
	c.user.run("up", "demo", "--name", "b", "--set", "ports.echo.via=hostport", "--set", "ports.echo-udp.via=hostport")
	client, err := cri.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	for _, name := range []string{"a", "b"} {
		m := c.show(name)
		c.add(name, "direct", "tcp", func(ctx context.Context) (string, error) { return podAddress(ctx, client, name) })
		c.add(name, "hostport", "tcp", fixed(m.hostPort(t, "echo")))
		c.add(name, "relay", "tcp", fixed(c.forwarded(name, "any:7", "relay")))
	}
	c.add("b", "hostport udp", "udp", fixed(c.show("b").hostPort(t, "echo-udp")))
	c.add("b", "relay udp", "udp", fixed(c.forwarded("b", "any:7/udp", "relay")))
	c.add("a", "stream", "tcp", fixed(c.forwarded("a", "any:7", "stream")))
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	for _, x := range c.transfers {
		work.Go(func() { x.run(ctx) })
	}
	t.Cleanup(func() { cancel(); work.Wait() }) // before the machines are deleted
	c.allGo(30 * time.Second)
	return c
}

func fixed(address string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return address, nil }
}

func (c *chaos) add(machine, way, network string, address func(context.Context) (string, error)) {
	c.transfers = append(c.transfers, &transfer{machine: machine, way: way, network: network, address: address})
}

// forwarded adds a forward in the background and returns where it listens.
func (c *chaos) forwarded(name, spec, via string) string {
	out := c.user.run("forward", name, spec, "--via", via, "--background")
	address, _, _ := strings.Cut(out, " ")
	if _, err := netip.ParseAddrPort(address); err != nil {
		c.t.Fatalf("forward said %q", out)
	}
	return address
}

// podAddress is where the guest's echo server is on the pod's network at the moment.
func podAddress(ctx context.Context, client *cri.Client, name string) (string, error) {
	list, err := client.ListSandboxes(ctx, cri.SandboxFilter{Labels: map[string]string{machine.LabelMachine: name}})
	if err != nil {
		return "", err
	}
	for _, s := range list {
		if status, err := client.Sandbox(ctx, s.ID); err == nil && s.State == cri.SandboxReady {
			return net.JoinHostPort(status.IP, "7"), nil
		}
	}
	return "", errors.New("there is no pod")
}

// allGo waits until blocks come back by every way.
func (c *chaos) allGo(limit time.Duration) {
	c.t.Helper()
	begin := time.Now()
	within(c.t, limit, "all transfers go on", func() error {
		for _, x := range c.transfers {
			if !x.goes(begin) {
				return fmt.Errorf("%s does not", x)
			}
		}
		return nil
	})
}

// fault does something to the machine of this name. Its transfers by these ways may
// break, and must go on; all others must not.
func (c *chaos) fault(what, name string, ways []string, do func()) {
	c.t.Helper()
	for _, x := range c.transfers {
		x.mark()
	}
	do()
	c.allGo(60 * time.Second)
	pause(c.t.Context(), time.Second) // what dies late is seen too
	c.allGo(10 * time.Second)
	others, longest := 0, time.Duration(0)
	for _, x := range c.transfers {
		breaks, gap := x.counted()
		if x.machine == name && slices.Contains(ways, x.way) {
			c.row(what, x.String(), gap, fmt.Sprintf("back, %d lost", breaks))
			if breaks == 0 && x.network == "tcp" {
				c.t.Errorf("%s: %s did not notice: nothing was tried", what, x)
			}
			continue
		}
		others, longest = others+1, max(longest, gap)
		if x.network == "tcp" && breaks > 0 || gap > stalled {
			c.t.Errorf("%s: %s has nothing to do with it, and lost %d, with a gap of %s", what, x, breaks, gap)
		}
	}
	c.row(what, fmt.Sprintf("%d others", others), longest, "longest pause")
}

func (c *chaos) row(what, who string, gap time.Duration, note string) {
	fmt.Fprintf(&c.table, "%-12s  %-26s  %-17s %7.3f s  %s\n", c.runtime, what, who, gap.Seconds(), note)
}

// end tells what was seen. The runtime's name is in each line.
func (c *chaos) end() {
	var blocks int64
	for _, x := range c.transfers {
		x.mu.Lock()
		blocks += x.blocks
		if len(x.wrong) > 0 {
			c.t.Errorf("%s: wrong data: %q", x, x.wrong)
		}
		x.mu.Unlock()
	}
	fmt.Printf("\n%s%-12s  %d blocks came back as they were sent\n", c.table.String(), c.runtime, blocks)
}

// agents and keepers are the processes that serve the machine's forwards, and those that
// keep them.
func (c *chaos) agents(name string) []int  { return c.processes(name, false) }
func (c *chaos) keepers(name string) []int { return c.processes(name, true) }

func (c *chaos) processes(name string, keeper bool) (pids []int) {
	c.t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		argv := strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
		if len(argv) < 5 || argv[2] != c.endpoint || argv[3] != "forwarder" || argv[4] != name || (argv[len(argv)-1] == "--keeper") != keeper {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			c.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 1 {
		c.t.Fatalf("%s, keeper %v: processes %v, want one", name, keeper, pids)
	}
	return pids
}

// kill kills all at once, so that none sees another die.
func (c *chaos) kill(pids []int) {
	c.t.Helper()
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
		for _, pid := range pids {
			if err := syscall.Kill(pid, signal); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// restartRuntime kills the daemon, tries new connections meanwhile, and starts it again.
func (c *chaos) restartRuntime() {
	c.t.Helper()
	socket := strings.TrimPrefix(c.endpoint, "unix://")
	c.kill([]int{listener(c.t, socket)})
	for _, x := range c.transfers {
		if x.way == "direct" || x.way == "stream" {
			continue
		}
		address, _ := x.address(context.Background())
		if err := once(x.network, address); err != nil {
			c.t.Errorf("%s, while there is no runtime: %v", x, err)
		}
	}
	var daemon string
	for _, item := range strings.Split(os.Getenv("VMCTL_E2E_CONTAINERDS"), ",") {
		if path, ok := strings.CutPrefix(item, c.runtime+"="); ok {
			daemon = path
		}
	}
	c.user.run("--runtime-name", filepath.Base(filepath.Dir(socket)), "runtime", "start", "--containerd", daemon)
}

// listener is the process that listens on a unix socket.
func listener(t *testing.T, socket string) int {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var peer *unix.Ucred
	if controlErr := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); errors.Join(controlErr, err) != nil {
		t.Fatal(controlErr, err)
	}
	return int(peer.Pid)
}
