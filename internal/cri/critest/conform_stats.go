package critest

import (
	"net"
	"time"

	"vmctl/internal/cri"
)

func statsTests() []conformanceTest {
	return []conformanceTest{
		{name: "of a container", run: testContainerStats},
		{name: "of those that run, by label", run: testListStats},
		{name: "of a sandbox's network", run: testSandboxNetwork},
	}
}

// until repeats try until it is content; what says what is missing.
func (b *bench) until(what string, try func() bool) {
	b.Helper()
	for !try() {
		select {
		case <-b.ctx.Done():
			b.Fatal(what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func testContainerStats(b *bench) {
	id, _, _ := b.started("stats", idle)
	b.until("no statistics", func() bool {
		s, err := b.c.ContainerStats(b.ctx, id)
		b.must(err)
		return s.CPUTime > 0 && s.MemoryBytes > 0 && time.Since(s.Time) < time.Minute
	})
}

func testListStats(b *bench) {
	id, pod, sandbox := b.started("lists", idle)
	ended, other := b.shell("ended", "exit 0"), b.shell("other", idle)
	other.Labels = map[string]string{"io.vmctl.critest": "other"}
	gone := b.startIn(sandbox, pod, ended)
	b.waitExit(gone)
	foreign := b.startIn(sandbox, pod, other)
	var first cri.ContainerStats
	b.until("the CPU time does not grow", func() bool {
		all, err := b.c.ListContainerStats(b.ctx, cri.ContainerFilter{Labels: b.labels()})
		b.must(err)
		s := all[id]
		if _, ok := all[foreign]; ok || all[gone].CPUTime != 0 {
			b.Fatalf("statistics of others, or of what has ended: %+v", all)
		}
		if first.Time.IsZero() { // the runtime may not have sampled it yet
			first = s
		}
		return s.CPUTime > first.CPUTime && s.Time.After(first.Time) && s.MemoryBytes > 0
	})
}

func testSandboxNetwork(b *bench) {
	_, _, sandbox := b.started("network", idle)
	status, err := b.c.Sandbox(b.ctx, sandbox)
	b.must(err)
	first, err := b.c.SandboxNetwork(b.ctx, sandbox)
	b.must(err)
	b.until("what comes in is not counted", func() bool {
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(status.IP, "9"), time.Second); err == nil {
			conn.Close()
		}
		now, err := b.c.SandboxNetwork(b.ctx, sandbox)
		b.must(err)
		return now.RxBytes > first.RxBytes && now.Time.After(first.Time)
	})
	_, err = b.c.SandboxNetwork(b.ctx, "0123456789abcdef")
	if err == nil {
		b.Error("the network of a sandbox that is not there")
	}
}
