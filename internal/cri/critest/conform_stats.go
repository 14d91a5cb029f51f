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
	ended := b.shell("ended", "exit 0")
	b.waitExit(b.startIn(sandbox, pod, ended))
	var first cri.ContainerStats
	b.until("the CPU time does not grow", func() bool {
		all, err := b.c.ListContainerStats(b.ctx, cri.ContainerFilter{Labels: b.labels()})
		b.must(err)
		s, ok := all[id]
		if !ok || len(all) != 1 {
			b.Fatalf("statistics of %d containers, want those of one: %+v", len(all), all)
		}
		if first.Time.IsZero() {
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
