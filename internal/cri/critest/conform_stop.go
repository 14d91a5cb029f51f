package critest

import (
	"context"
	"time"

	"vmctl/internal/cri"
)

func stopTests() []conformanceTest {
	return []conformanceTest{
		{name: "the signal arrives and there is time to answer it", run: testStopPolite},
		{name: "what ignores the signal is killed after the grace", run: testStopStubborn},
		{name: "no grace kills at once", run: testStopAtOnce},
		{name: "what has ended is stopped", run: testStopEnded},
		{name: "a caller that leaves early does not hurt", run: testStopCancelled},
	}
}

func testStopPolite(b *bench) {
	id, _, _ := b.started("polite", polite)
	begin := time.Now()
	b.must(b.c.StopContainer(b.ctx, id, 30*time.Second))
	if took := time.Since(begin); took > 10*time.Second {
		b.Errorf("stop took %v", took)
	}
	s := b.waitExit(id)
	if s.ExitCode != 42 {
		b.Errorf("exit code %d, want the script's 42", s.ExitCode)
	}
	b.waitLog(id, "got TERM")
}

func testStopStubborn(b *bench) {
	id, _, _ := b.started("stubborn", stubborn)
	begin := time.Now()
	b.must(b.c.StopContainer(b.ctx, id, 1500*time.Millisecond))
	if took := time.Since(begin); took < 1500*time.Millisecond || took > 10*time.Second {
		b.Errorf("stop took %v, want a little more than the grace of 1.5s", took)
	}
	if s := b.waitExit(id); s.ExitCode != 137 {
		b.Errorf("exit code %d, want 137", s.ExitCode)
	}
}

func testStopAtOnce(b *bench) {
	id, _, _ := b.started("atonce", stubborn)
	begin := time.Now()
	b.must(b.c.StopContainer(b.ctx, id, 0))
	if took := time.Since(begin); took > 5*time.Second {
		b.Errorf("stop took %v", took)
	}
	if s := b.waitExit(id); s.ExitCode != 137 {
		b.Errorf("exit code %d, want 137", s.ExitCode)
	}
}

func testStopEnded(b *bench) {
	id, _, _ := b.started("ended", "echo ready; exit 3")
	b.waitExit(id)
	b.must(b.c.StopContainer(b.ctx, id, time.Second))
	if s := b.waitExit(id); s.ExitCode != 3 {
		b.Errorf("exit code %d, want 3 as before the stop", s.ExitCode)
	}
}

func testStopCancelled(b *bench) {
	id, _, _ := b.started("leaves", stubborn)
	ctx, cancel := context.WithTimeout(b.ctx, 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	b.want(b.c.StopContainer(ctx, id, 3*time.Second), context.DeadlineExceeded)
	if took := time.Since(begin); took > 2*time.Second {
		b.Errorf("the call went on for %v after its context", took)
	}
	if s, err := b.c.Container(b.ctx, id); err != nil || s.State != cri.ContainerRunning {
		b.Errorf("state %d, error %v: want running, within the grace", s.State, err)
	}
	if b.StopsByItself {
		b.waitExit(id)
	}
	b.must(b.c.StopContainer(b.ctx, id, time.Second))
	if s := b.waitExit(id); s.ExitCode != 137 {
		b.Errorf("exit code %d, want 137", s.ExitCode)
	}
}
