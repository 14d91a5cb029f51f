package critest

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
)

func sandboxTests() []conformanceTest {
	return []conformanceTest{
		{name: "run, inspect, stop, remove", run: testSandboxLife},
		{name: "a name in use is refused and its sandbox lives on", run: testSandboxNameInUse},
		{name: "a run that fails leaves nothing", run: testSandboxFailedRun},
		{name: "a run that is cancelled leaves nothing", run: testSandboxCancelledRun},
		{name: "a label that is too long is refused", run: testSandboxLongLabel},
		{name: "labels select", run: testSandboxSelect},
		{name: "several at once", run: testSandboxesAtOnce},
		{name: "unknown ids", run: testSandboxUnknown},
		{name: "stop kills, remove takes containers along", run: testSandboxStopKills},
	}
}

func testSandboxLife(b *bench) {
	pod := b.pod("life")
	id, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	s, err := b.c.Sandbox(b.ctx, id)
	b.must(err)
	want := cri.Sandbox{
		ID: id, Name: "life", Namespace: "critest", UID: b.uid, State: cri.SandboxReady,
		CreatedAt: s.CreatedAt, Labels: pod.Labels, Annotations: pod.Annotations,
		RuntimeHandler: s.RuntimeHandler,
	}
	if diff := cmp.Diff(want, s.Sandbox); diff != "" {
		b.Errorf("sandbox (-want +got):\n%s", diff)
	}
	if age := time.Since(s.CreatedAt); age < 0 || age > time.Minute {
		b.Errorf("created at %v, %v ago", s.CreatedAt, age)
	}
	if _, err := netip.ParseAddr(s.IP); err != nil {
		b.Errorf("address: %v", err)
	}
	b.must(b.c.StopSandbox(b.ctx, id))
	b.must(b.c.StopSandbox(b.ctx, id))
	if s, err = b.c.Sandbox(b.ctx, id); err != nil || s.State != cri.SandboxNotReady {
		b.Errorf("after stop: state %d, error %v", s.State, err)
	}
	b.must(b.c.RemoveSandbox(b.ctx, id))
	b.must(b.c.RemoveSandbox(b.ctx, id))
	_, err = b.c.Sandbox(b.ctx, id)
	b.want(err, cri.ErrNotFound)
}

func testSandboxNameInUse(b *bench) {
	if v, err := b.c.Version(b.ctx); err != nil || v.RuntimeName == "cri-o" {
		b.Skip("CRI-O returns the sandbox that it has")
	}
	pod := b.pod("twice")
	id, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	_, err = b.c.RunSandbox(b.ctx, pod, "")
	b.want(err, cri.ErrAlreadyExists)
	if s, err := b.c.Sandbox(b.ctx, id); err != nil || s.State != cri.SandboxReady {
		b.Errorf("the first sandbox: state %d, error %v", s.State, err)
	}
	pod.Attempt++
	_, err = b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
}

func testSandboxFailedRun(b *bench) {
	pod := b.pod("failed")
	if _, err := b.c.RunSandbox(b.ctx, pod, "no-such-handler"); err == nil {
		b.Fatal("an unknown runtime handler was accepted")
	}
	b.noSandboxes()
	pod.Hostname = strings.Repeat("h", 65)
	if _, err := b.c.RunSandbox(b.ctx, pod, ""); err == nil {
		b.Fatal("a hostname of 65 bytes was accepted")
	}
	b.noSandboxes()
	pod.Hostname = "short"
	_, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
}

func testSandboxCancelledRun(b *bench) {
	for _, delay := range []time.Duration{0, 2, 10, 30, 60, 100, 150, 250} {
		ctx, cancel := context.WithCancel(b.ctx)
		timer := time.AfterFunc(delay*time.Millisecond, cancel)
		id, err := b.c.RunSandbox(ctx, b.pod("cancelled"), "")
		timer.Stop()
		cancel()
		if err != nil {
			b.want(err, context.Canceled)
		} else {
			b.must(b.c.RemoveSandbox(b.ctx, id))
		}
		b.noSandboxes()
	}
	// The name is free again.
	_, err := b.c.RunSandbox(b.ctx, b.pod("cancelled"), "")
	b.must(err)
}

func testSandboxLongLabel(b *bench) {
	pod := b.pod("label")
	pod.Labels["io.vmctl.long"] = strings.Repeat("x", 4096)
	if _, err := b.c.RunSandbox(b.ctx, pod, ""); err == nil {
		b.Error("a label of more than 4096 bytes was accepted")
	}
	b.noSandboxes()
}

func testSandboxSelect(b *bench) {
	var ids []string
	for _, name := range []string{"red", "blue"} {
		pod := b.pod(name)
		pod.Labels["io.vmctl.colour"] = name
		id, err := b.c.RunSandbox(b.ctx, pod, "")
		b.must(err)
		ids = append(ids, id)
	}
	for _, test := range []struct {
		name   string
		filter cri.SandboxFilter
		want   []string
	}{
		{"own label", cri.SandboxFilter{Labels: map[string]string{"io.vmctl.critest": b.uid, "io.vmctl.colour": "blue"}}, ids[1:]},
		{"shared label", cri.SandboxFilter{Labels: b.labels()}, ids},
		{"other value", cri.SandboxFilter{Labels: map[string]string{"io.vmctl.critest": b.uid, "io.vmctl.colour": "green"}}, nil},
		{"id", cri.SandboxFilter{ID: ids[0]}, ids[:1]},
	} {
		list, err := b.c.ListSandboxes(b.ctx, test.filter)
		b.must(err)
		got := map[string]bool{}
		for _, s := range list {
			got[s.ID] = true
		}
		want := map[string]bool{}
		for _, id := range test.want {
			want[id] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			b.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func testSandboxesAtOnce(b *bench) {
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		pod := b.pod("once-" + name)
		all.Go(func() {
			if _, err := b.c.RunSandbox(b.ctx, pod, ""); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	list, err := b.c.ListSandboxes(b.ctx, cri.SandboxFilter{Labels: b.labels()})
	b.must(err)
	addresses := map[string]bool{}
	for _, s := range list {
		status, err := b.c.Sandbox(b.ctx, s.ID)
		b.must(err)
		addresses[status.IP] = true
	}
	if len(list) != 4 || len(addresses) != 4 {
		b.Errorf("%d sandboxes with %d addresses, want 4", len(list), len(addresses))
	}
}

func testSandboxUnknown(b *bench) {
	unknown := strings.Repeat("0", 64)
	_, err := b.c.Sandbox(b.ctx, unknown)
	b.want(err, cri.ErrNotFound)
	b.must(b.c.StopSandbox(b.ctx, unknown))
	b.must(b.c.RemoveSandbox(b.ctx, unknown))
	_, err = b.c.CreateContainer(b.ctx, unknown, b.shell("main", idle), b.pod("unknown"))
	b.want(err, cri.ErrNotFound)
}

func testSandboxStopKills(b *bench) {
	id, _, sandbox := b.started("kill", stubborn)
	b.must(b.c.StopSandbox(b.ctx, sandbox))
	if s := b.waitExit(id); s.ExitCode != 137 {
		b.Errorf("exit code %d, want 137", s.ExitCode)
	}
	b.must(b.c.RemoveSandbox(b.ctx, sandbox))
	_, err := b.c.Container(b.ctx, id)
	b.want(err, cri.ErrNotFound)
}

// noSandboxes checks that this test has none, and that none turns up late.
func (b *bench) noSandboxes() {
	b.Helper()
	for range 3 {
		list, err := b.c.ListSandboxes(b.ctx, cri.SandboxFilter{Labels: b.labels()})
		b.must(err)
		if len(list) > 0 {
			b.Fatalf("left behind: %+v", list)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
