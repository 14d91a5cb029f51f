package portfwd

import (
	"errors"
	"fmt"
	"net"
)

// ErrNoFreePort is returned when every candidate is taken.
var ErrNoFreePort = errors.New("no free port")

// ephemeralTries bounds how many random ports are tried.
const ephemeralTries = 100

// Free returns a host port that f could have: the first free one from start up, or, when
// start is 0, any that the kernel picks. f's own HostPort is not looked at. taken may
// rule out ports that are promised though nobody uses them yet (those of stopped
// machines); nil rules out none.
func Free(start int, f Forward, taken func(port int, p Protocol) bool) (int, error) {
	if taken == nil {
		taken = func(int, Protocol) bool { return false }
	}
	if start == 0 {
		return ephemeral(f, taken)
	}
	for port := start; port <= 65535; port++ {
		f.HostPort = port
		if err := f.validate(); err != nil {
			return 0, err
		}
		if taken(port, f.Protocol) {
			continue
		}
		err := Check(f)
		if err == nil {
			return port, nil
		}
		if !errors.Is(err, ErrTaken) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w on %s from %d/%s up", ErrNoFreePort, f.Address, start, f.Protocol)
}

func ephemeral(f Forward, taken func(int, Protocol) bool) (int, error) {
	for range ephemeralTries {
		port, err := anyPort(f)
		if err != nil {
			return 0, err
		}
		f.HostPort = port
		if taken(port, f.Protocol) {
			continue
		}
		err = Check(f)
		if err == nil {
			return port, nil
		}
		if !errors.Is(err, ErrTaken) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w on %s after %d tries", ErrNoFreePort, f.Address, ephemeralTries)
}

// anyPort lets the kernel choose.
func anyPort(f Forward) (int, error) {
	f.HostPort = 1
	if err := f.validate(); err != nil {
		return 0, err
	}
	f.HostPort = 0
	if f.Protocol == UDP {
		c, err := net.ListenPacket("udp", f.Host().String())
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).Port, nil
	}
	l, err := net.Listen("tcp", f.Host().String())
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
