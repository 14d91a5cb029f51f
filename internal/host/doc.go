// Package host looks at what this computer offers to a machine. One method of Host is one
// check; it returns a Finding that says what was seen and, where something is amiss,
// what to type.
//
//	h := host.Host{}
//	if f := h.KVM(ctx); f.Level == host.Fail {
//		return hint.With(errors.New(f.Detail), "%s", f.Fix)
//	}
//	for _, f := range host.Checks(ctx, h, host.Options{Storage: dir}) {
//		fmt.Println(f.Level, f.Name, f.Detail)
//	}
//
// Fail means that machines cannot run, Warn that something will be slower, smaller or
// unsure. A user who may not open a device sees a Warn and not a Fail: it is the
// container, run by the runtime as root, that opens it.
//
// The checks change nothing and start nothing that lasts. They know Linux, not the
// container runtime: whether a runtime answers is for its client to say.
package host

import (
	"context"
	"path/filepath"
)

// Level is how bad a finding is.
type Level int

// The levels, from good to bad.
const (
	OK Level = iota
	Warn
	Fail
)

func (l Level) String() string {
	switch l {
	case OK:
		return "ok"
	case Warn:
		return "warn"
	}
	return "fail"
}

// Finding is the outcome of one check.
type Finding struct {
	Name   string // what was looked at: "kvm", "disk"
	Level  Level
	Detail string // what was seen, in one line
	Fix    string // what to do or type, "" when OK
}

func ok(name, detail string) Finding { return Finding{Name: name, Level: OK, Detail: detail} }

// Host is a computer to look at. The zero value is the one we run on.
type Host struct {
	// Root is put before /dev, /proc, /sys, /etc, /run and the like; "" is the real root.
	// Another root is for tests and for hosts mounted somewhere.
	Root string
}

// path returns where an absolute path of the host is found.
func (h Host) path(p string) string {
	if h.Root == "" {
		return p
	}
	return filepath.Join(h.Root, p)
}

// Options says what the checks should look for.
type Options struct {
	Storage    string   // where disks will be; "" leaves that check out
	DiskNeed   uint64   // bytes that must be free there
	MemoryNeed uint64   // bytes of RAM that guests will want
	CNIDirs    []string // where CNI plugins are; nil means the usual places
	Socket     string   // path of the runtime's socket; "" if unknown
}

// Checks makes all checks, in an order that reads well.
func Checks(ctx context.Context, h Host, o Options) []Finding {
	all := []Finding{
		h.KVM(ctx), h.Tun(ctx), h.Memory(o.MemoryNeed),
	}
	if o.Storage != "" {
		all = append(all, h.DiskFree(o.Storage, o.DiskNeed))
	}
	return append(all,
		h.CNI(o.CNIDirs...), h.IPForward(), h.Resolver(),
		h.Cgroup(), h.Systemd(), h.SysResource(), h.Kubelet(o.Socket),
	)
}
