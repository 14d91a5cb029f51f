//go:build e2e

package containerd

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/hint"
)

// TestE2EStartTwice: a start on top of a running one, and racing ones, leave one
// daemon.
func TestE2EStartTwice(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		var results [4]StartResult
		var errs [4]error
		var group sync.WaitGroup
		for n := range results {
			group.Go(func() { results[n], errs[n] = r.Start(t.Context()) })
		}
		group.Wait()
		first := 0
		for n, result := range results {
			if errs[n] != nil || result.Version == "" {
				t.Errorf("start %d: %+v, %v", n, result, errs[n])
			}
			if !result.AlreadyRunning {
				first++
			}
		}
		status, err := r.Status(t.Context())
		if err != nil || first != 1 {
			t.Errorf("%d of 4 starts started a daemon, want 1 (%v)", first, err)
		}
		if daemons := r.orphans(); len(daemons) != 1 || daemons[0].PID != status.PID {
			t.Errorf("daemons are %v, status says %+v", daemons, status)
		}
		if !status.Running || status.Version != results[0].Version || status.Subnet == "" || status.Bridge != r.paths.bridge ||
			status.CgroupDriver == "" || status.Since.IsZero() {
			t.Errorf("status is %+v", status)
		}
		r.stopClean(t)
		if status, _ := r.Status(t.Context()); status.Running || status.PID != 0 {
			t.Errorf("after the stop, status is %+v", status)
		}
	})
}

// TestE2EStartAfterCrash: pods outlive a daemon that was killed, and the next one
// takes them up again, on the same subnet.
func TestE2EStartAfterCrash(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		p := r.runPod(t, "one", "/vmctl")
		subnet := r.savedSubnet()
		for crash := range 2 {
			r.killDaemon(t)
			if result := r.start(t); result.AlreadyRunning || r.savedSubnet() != subnet {
				t.Errorf("start after crash %d: %+v on %v, before on %v", crash+1, result, r.savedSubnet(), subnet)
			}
		}
		answer, err := r.client.ContainerStatus(t.Context(), &cri.ContainerStatusRequest{ContainerId: p.container})
		if err != nil || answer.GetStatus().GetState() != cri.ContainerState_CONTAINER_RUNNING {
			t.Errorf("the container after a crash: %v, %v", answer.GetStatus(), err)
		}
		r.stopClean(t, p)
	})
}

// TestE2EGroup: members of the group get at the socket, and nobody else.
func TestE2EGroup(t *testing.T) {
	const gid = 54321
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		checkSocket(t, r.Socket(), 0)
		r.options.Group = "54321"
		if result := r.start(t); !result.AlreadyRunning {
			t.Error("a start for another group started anew")
		}
		checkSocket(t, r.Socket(), gid)
		r.stopClean(t)
		r.start(t)
		checkSocket(t, r.Socket(), gid)
	})
}

func checkSocket(t *testing.T, socket string, gid uint32) {
	t.Helper()
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Gid; got != gid || info.Mode().Perm() != 0o660 {
		t.Errorf("socket has group %d and mode %v, want %d and 0660", got, info.Mode().Perm(), gid)
	}
	for dir := filepath.Dir(socket); dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			t.Errorf("%s cannot be passed: %v, %v", dir, info.Mode(), err)
		}
	}
}

// TestE2ESubnetTaken: between two starts, the host got a network that collides.
func TestE2ESubnetTaken(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		first := r.savedSubnet()
		r.stopClean(t)
		takeAddress(t, first)
		r.start(t)
		if second := r.savedSubnet(); second.Overlaps(first) {
			t.Errorf("subnet %v, though the host has an address in %v", second, first)
		}
		p := r.runPod(t, "one", "")
		answer, err := r.client.PodSandboxStatus(t.Context(), &cri.PodSandboxStatusRequest{PodSandboxId: p.sandbox})
		if err != nil {
			t.Fatal(err)
		}
		ip, err := netip.ParseAddr(answer.GetStatus().GetNetwork().GetIp())
		if err != nil || !r.savedSubnet().Contains(ip) {
			t.Errorf("pod has address %v (%v), want one in %v", ip, err, r.savedSubnet())
		}
	})
}

// takeAddress gives the host an address in the subnet, on a link of its own.
func takeAddress(t *testing.T, subnet netip.Prefix) {
	t.Helper()
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "taken"}}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(link) })
	address := &netlink.Addr{IPNet: &net.IPNet{IP: subnet.Addr().Next().AsSlice(), Mask: net.CIDRMask(28, 32)}}
	if err := netlink.AddrAdd(link, address); err != nil {
		t.Fatal(err)
	}
}

// TestE2EDaemonDies: the error quotes the log, the hint names it, and nothing stays.
func TestE2EDaemonDies(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		fake := filepath.Join(t.TempDir(), "containerd")
		script := "#!/bin/sh\n[ \"$1\" = --version ] && exec " + r.options.Containerd + " --version\necho no disk left >&2\nexit 3\n"
		if err := os.WriteFile(fake, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		r.options.Containerd = fake
		_, err := r.Start(t.Context())
		if !errors.Is(err, ErrDied) || !strings.Contains(err.Error(), "no disk left") || !strings.Contains(hint.Of(err), r.LogPath()) {
			t.Errorf("error %v, hint %q", err, hint.Of(err))
		}
		if status, _ := r.Status(t.Context()); status.Running {
			t.Error("it still runs")
		}
		r.stopClean(t)
	})
}
