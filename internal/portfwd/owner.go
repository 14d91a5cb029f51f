package portfwd

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Owner is who has a port.
type Owner struct {
	PID     int    // 0 when it is not visible: another user's process
	Command string // the process's name (at most 15 bytes, as the kernel keeps it)
	UID     int    // user id of the socket; meaningful when Inode or PID is set
	User    string // UID's name, "" when it has none
	Inode   uint32 // the socket's inode, 0 when no socket was found
	Forward bool   // no socket: a forwarding rule leads to another container
}

// String names the owner as well as is known: "nginx (pid 123)", `a process of user
// "www-data"`, "another process".
func (o Owner) String() string {
	switch {
	case o.Forward:
		return "the forward of another container"
	case o.PID != 0 && o.Command != "":
		return fmt.Sprintf("%s (pid %d)", o.Command, o.PID)
	case o.PID != 0:
		return fmt.Sprintf("pid %d", o.PID)
	case o.Inode != 0 && o.User != "":
		return fmt.Sprintf("a process of user %q", o.User)
	case o.Inode != 0:
		return fmt.Sprintf("a process of user id %d", o.UID)
	}
	return "another process"
}

// owner finds the socket that keeps f's port and the process that holds it.
func (c checker) owner(f Forward) (o Owner, found bool, err error) {
	socks, err := sockets(f.Protocol)
	if err != nil {
		return Owner{}, false, fmt.Errorf("list sockets: %w", err)
	}
	i := slices.IndexFunc(socks, func(s *netlink.Socket) bool { return conflicts(f, s) })
	if i < 0 {
		return Owner{}, false, nil
	}
	o = Owner{UID: int(socks[i].UID), Inode: socks[i].INode}
	if u, err := user.LookupId(strconv.Itoa(o.UID)); err == nil {
		o.User = u.Username
	}
	if o.PID = c.holder(o.Inode); o.PID != 0 {
		comm, _ := os.ReadFile(filepath.Join(c.proc, strconv.Itoa(o.PID), "comm"))
		o.Command = strings.TrimSpace(string(comm))
	}
	return o, true, nil
}

// sockets asks the kernel (sock_diag(7)) for the sockets of this network namespace. An
// interrupted dump is asked for again: it may have missed some.
func sockets(p Protocol) ([]*netlink.Socket, error) {
	list := netlink.SocketDiagTCP
	if p == UDP {
		list = netlink.SocketDiagUDP
	}
	var all []*netlink.Socket
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		got, err := list(family)
		for try := 0; try < 3 && errors.Is(err, netlink.ErrDumpInterrupted); try++ {
			got, err = list(family)
		}
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return nil, err
		}
		all = append(all, got...)
	}
	return all, nil
}

// conflicts reports whether socket s keeps f's port: the same port, and the same address
// or every address on either side. Of TCP only listeners count, of UDP all.
func conflicts(f Forward, s *netlink.Socket) bool {
	if int(s.ID.SourcePort) != f.HostPort || f.Protocol == TCP && s.State != netlink.TCP_LISTEN {
		return false
	}
	a, ok := netip.AddrFromSlice(s.ID.Source)
	if !ok {
		return false
	}
	if s.Family == unix.AF_INET || a.Is4In6() {
		a = a.Unmap()
	}
	mine := f.Address.Unmap()
	switch {
	case a == mine:
		return true
	case a.IsUnspecified() && a.Is6(): // takes IPv4 as well, unless IPV6_V6ONLY
		return true
	case mine.IsUnspecified() && mine.Is6():
		return a.Is6()
	}
	return (a.IsUnspecified() || mine.IsUnspecified()) && a.Is4() == mine.Is4()
}

// holder returns the first process that holds the socket, or 0 when none that we may
// look into does. Of a server with workers that is the parent, as a rule.
func (c checker) holder(inode uint32) int {
	want := fmt.Sprintf("socket:[%d]", inode)
	entries, err := os.ReadDir(c.proc)
	if err != nil || inode == 0 {
		return 0
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	i := slices.IndexFunc(pids, func(pid int) bool {
		return holds(filepath.Join(c.proc, strconv.Itoa(pid), "fd"), want)
	})
	if i < 0 {
		return 0
	}
	return pids[i]
}

func holds(fdDir, want string) bool {
	fds, err := os.ReadDir(fdDir)
	if err != nil {
		return false // not ours to see, or gone
	}
	return slices.ContainsFunc(fds, func(fd os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(fdDir, fd.Name()))
		return err == nil && target == want
	})
}
