package machine

import (
	"context"
	"sync"

	"vmctl/internal/cri"
	"vmctl/internal/storage"
)

// Usage is what a machine uses. What is not known, as all but the disk of a machine that is
// not up, is below 0.
type Usage struct {
	CPU    float64 // percent of one core, between two samples
	Memory int64   // bytes in use, QEMU's own included

	DiskSize int64 // bytes that the guest sees
	DiskUsed int64 // bytes that its disks take on the host

	NetIn, NetOut         int64   // bytes into and out of the pod since its start
	NetInRate, NetOutRate float64 // bytes a second, between two samples
}

// unknownUsage is of a machine that nothing is known of.
func unknownUsage() Usage {
	return Usage{CPU: -1, Memory: -1, DiskSize: -1, DiskUsed: -1, NetIn: -1, NetOut: -1, NetInRate: -1, NetOutRate: -1}
}

// Meter measures machines again and again: it keeps the last samples, for what is a rate.
// It is not safe for concurrent use.
type Meter struct {
	m    *Manager
	cpu  map[string]cri.ContainerStats // by container
	net  map[string]cri.NetworkStats   // by sandbox
	rate map[string]Usage              // by container: of the last samples that differed
}

// NewMeter makes a meter. Its first measurement has no rates.
func (m *Manager) NewMeter() *Meter {
	return &Meter{m: m, cpu: map[string]cri.ContainerStats{}, net: map[string]cri.NetworkStats{}, rate: map[string]Usage{}}
}

// Measure returns what each of the machines uses, in their order. The runtime is asked once
// for CPU and memory of all, and once a machine that is up for its network. What the runtime
// does not tell is unknown, and no error.
func (x *Meter) Measure(ctx context.Context, machines []Machine) ([]Usage, error) {
	stats, err := x.m.Runtime.ListContainerStats(ctx, cri.ContainerFilter{})
	if err != nil {
		return nil, err
	}
	networks := x.networks(ctx, machines)
	cpu, net, rate := map[string]cri.ContainerStats{}, map[string]cri.NetworkStats{}, map[string]Usage{}
	out := make([]Usage, len(machines))
	for i, mc := range machines {
		u := unknownUsage()
		u.DiskSize, u.DiskUsed = x.m.diskUsage(mc)
		if now, ok := stats[mc.ContainerID]; ok {
			if now.MemoryBytes > 0 {
				u.Memory = int64(now.MemoryBytes)
			}
			u.CPU, cpu[mc.ContainerID] = x.cpuRate(mc.ContainerID, now), now
		}
		if now, ok := networks[mc.SandboxID]; ok {
			u.NetIn, u.NetOut = int64(now.RxBytes), int64(now.TxBytes)
			u.NetInRate, u.NetOutRate = x.netRate(mc, now)
			net[mc.SandboxID] = now
		}
		rate[mc.ContainerID] = u
		out[i] = u
	}
	x.cpu, x.net, x.rate = cpu, net, rate
	return out, ctx.Err()
}

// cpuRate compares two samples. A runtime that samples by itself, now and then, gives the
// same one twice: the last rate holds until there is a new one.
func (x *Meter) cpuRate(id string, now cri.ContainerStats) float64 {
	before, ok := x.cpu[id]
	if !ok || now.Time.IsZero() {
		return -1
	}
	if !now.Time.After(before.Time) {
		return x.rate[id].CPU
	}
	return 100 * max(0, float64(now.CPUTime-before.CPUTime)) / float64(now.Time.Sub(before.Time))
}

func (x *Meter) netRate(mc Machine, now cri.NetworkStats) (in, out float64) {
	before, ok := x.net[mc.SandboxID]
	if !ok {
		return -1, -1
	}
	seconds := now.Time.Sub(before.Time).Seconds()
	if seconds <= 0 {
		last := x.rate[mc.ContainerID]
		return last.NetInRate, last.NetOutRate
	}
	return max(0, float64(now.RxBytes)-float64(before.RxBytes)) / seconds, max(0, float64(now.TxBytes)-float64(before.TxBytes)) / seconds
}

// networks asks for the networks of the machines that are up, side by side.
func (x *Meter) networks(ctx context.Context, machines []Machine) map[string]cri.NetworkStats {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, listWorkers)
	out := map[string]cri.NetworkStats{}
	for _, mc := range machines {
		if !mc.Phase.Up() || mc.SandboxID == "" {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			n, err := x.m.Runtime.SandboxNetwork(ctx, mc.SandboxID)
			if err != nil {
				x.m.log().Debug("the runtime does not tell of a network", "machine", mc.Name, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[mc.SandboxID] = n
		})
	}
	wg.Wait()
	return out
}

// furtherDiskNames are what the images call disks 2 to 6 (qemus/qemu src/disk.sh).
var furtherDiskNames = []string{"data[2-6].img", "data[2-6].qcow2"}

// diskUsage adds up the machine's disk files; a block device takes nothing of the host's.
func (m *Manager) diskUsage(mc Machine) (size, used int64) {
	h, err := m.open(mc.Name)
	if err != nil || mc.Orphan() {
		return -1, -1
	}
	add := func(folder string, names []string) bool {
		disk, err := storage.InspectDisk(folder, storage.Patterns{Disks: names})
		for _, file := range disk.Files {
			size, used = size+file.Size, used+file.Allocated
		}
		return err == nil
	}
	known := add(h.storagePath(), h.recipe.Contract().DiskNames)
	for _, k := range h.recipe.Disks {
		if k.Device == "" {
			known = add(h.diskPath(k), furtherDiskNames) && known
		}
	}
	if !known {
		return -1, -1
	}
	return size, used
}
