package critest

import (
	"context"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/cri"
)

func containerTests() []conformanceTest {
	return []conformanceTest{
		{name: "create, start, end, remove", run: testContainerLife},
		{name: "args and environment arrive", run: testContainerArgs},
		{name: "starts once", run: testContainerStartsOnce},
		{name: "a start that fails says why", run: testContainerFailedStart},
		{name: "a start that is cancelled can be removed", run: testContainerCancelledStart},
		{name: "a name in use is refused", run: testContainerNameInUse},
		{name: "an image that is absent", run: testContainerNoImage},
		{name: "sandbox and labels select", run: testContainerSelect},
		{name: "unknown ids", run: testContainerUnknown},
		{name: "remove ends what runs", run: testContainerRemoveRunning},
		{name: "privileged needs a privileged sandbox", run: testContainerPrivileged},
	}
}

func testContainerLife(b *bench) {
	pod := b.pod("life")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", "exit 7")
	cfg.Annotations = map[string]string{"io.vmctl.note": "one"}
	id, err := b.c.CreateContainer(b.ctx, sandbox, cfg, pod)
	b.must(err)
	s, err := b.c.Container(b.ctx, id)
	b.must(err)
	if s.State != cri.ContainerCreated || !s.StartedAt.IsZero() || !s.FinishedAt.IsZero() {
		b.Errorf("created: %+v", s)
	}
	b.must(b.c.StartContainer(b.ctx, id))
	s = b.waitExit(id)
	want := cri.ContainerStatus{
		Container: cri.Container{
			ID: id, Name: "main", Image: s.Image, ImageRef: s.ImageRef, State: cri.ContainerExited,
			CreatedAt: s.CreatedAt, Labels: cfg.Labels, Annotations: cfg.Annotations,
		},
		StartedAt: s.StartedAt, FinishedAt: s.FinishedAt, ExitCode: 7, Reason: "Error", LogPath: b.logs + "/main.log",
	}
	if diff := cmp.Diff(want, s); diff != "" {
		b.Errorf("exited (-want +got):\n%s", diff)
	}
	// Of a container that ends at once, containerd may see the end before the start.
	if s.StartedAt.Before(s.CreatedAt) || s.FinishedAt.Before(s.CreatedAt) || time.Since(s.FinishedAt) > time.Minute {
		b.Errorf("created %v, started %v, finished %v", s.CreatedAt, s.StartedAt, s.FinishedAt)
	}
	b.must(b.c.RemoveContainer(b.ctx, id))
	b.must(b.c.RemoveContainer(b.ctx, id))
	_, err = b.c.Container(b.ctx, id)
	b.want(err, cri.ErrNotFound)
}

func testContainerArgs(b *bench) {
	pod := b.pod("args")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", "")
	cfg.Command = []string{"/bin/sh", "-c"}
	cfg.Args = []string{`echo "$1|$GREETING|$EMPTY|"`, "sh", "an argument"}
	cfg.Env = []cri.EnvVar{{Name: "GREETING", Value: "héllo = \"you\""}, {Name: "EMPTY"}}
	id := b.startIn(sandbox, pod, cfg)
	b.waitLog(id, `an argument|héllo = "you"||`)
}

func testContainerStartsOnce(b *bench) {
	pod := b.pod("once")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	id := b.startIn(sandbox, pod, b.shell("main", "true"))
	b.waitExit(id)
	if err := b.c.StartContainer(b.ctx, id); err == nil {
		b.Error("an ended container was started again")
	}
}

func testContainerFailedStart(b *bench) {
	pod := b.pod("start")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", idle)
	cfg.Devices = []cri.Device{{HostPath: "/dev/null", ContainerPath: "/dev/null2"}} // no permissions
	id, err := b.c.CreateContainer(b.ctx, sandbox, cfg, pod)
	b.must(err)
	if err := b.c.StartContainer(b.ctx, id); err == nil {
		b.Fatal("a device without permissions was accepted")
	}
	s := b.waitExit(id)
	if s.ExitCode == 0 || s.Reason == "" || !strings.Contains(s.Message, "device access") {
		b.Errorf("status after the failed start: %+v", s)
	}
}

// containerd undoes a start that was broken off for a second or so, and refuses to
// remove the container meanwhile.
func testContainerCancelledStart(b *bench) {
	for _, delay := range []time.Duration{0, 20, 60} {
		pod := b.pod("cancelled")
		sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
		b.must(err)
		id, err := b.c.CreateContainer(b.ctx, sandbox, b.shell("main", idle), pod)
		b.must(err)
		ctx, cancel := context.WithCancel(b.ctx)
		timer := time.AfterFunc(delay*time.Millisecond, cancel)
		if err := b.c.StartContainer(ctx, id); err != nil {
			b.want(err, context.Canceled)
		}
		timer.Stop()
		cancel()
		b.must(b.c.StopSandbox(b.ctx, sandbox))
		b.must(b.c.RemoveSandbox(b.ctx, sandbox))
		b.noSandboxes()
	}
}

func testContainerNameInUse(b *bench) {
	id, pod, sandbox := b.started("name", idle)
	cfg := b.shell("main", idle)
	_, err := b.c.CreateContainer(b.ctx, sandbox, cfg, pod)
	b.want(err, cri.ErrAlreadyExists)
	cfg.Attempt++
	cfg.LogPath = "second.log"
	second := b.startIn(sandbox, pod, cfg)
	if second == id {
		b.Error("two containers with one id")
	}
}

func testContainerNoImage(b *bench) {
	pod := b.pod("noimage")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", idle)
	cfg.Image = "localhost/no-such-image:1"
	_, err = b.c.CreateContainer(b.ctx, sandbox, cfg, pod)
	b.want(err, cri.ErrNotFound)
}

func testContainerSelect(b *bench) {
	var ids, sandboxes []string
	for _, name := range []string{"one", "two"} {
		pod := b.pod(name)
		sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
		b.must(err)
		cfg := b.shell("main", idle)
		cfg.Labels = map[string]string{"io.vmctl.critest": b.uid, "io.vmctl.number": name}
		id, err := b.c.CreateContainer(b.ctx, sandbox, cfg, pod)
		b.must(err)
		ids, sandboxes = append(ids, id), append(sandboxes, sandbox)
	}
	for _, test := range []struct {
		name   string
		filter cri.ContainerFilter
		want   []string
	}{
		{"sandbox", cri.ContainerFilter{SandboxID: sandboxes[1]}, ids[1:]},
		{"own label", cri.ContainerFilter{Labels: map[string]string{"io.vmctl.critest": b.uid, "io.vmctl.number": "one"}}, ids[:1]},
		{"shared label", cri.ContainerFilter{Labels: b.labels()}, ids},
		{"id", cri.ContainerFilter{ID: ids[1]}, ids[1:]},
		{"id and other sandbox", cri.ContainerFilter{ID: ids[1], SandboxID: sandboxes[0]}, nil},
	} {
		list, err := b.c.ListContainers(b.ctx, test.filter)
		b.must(err)
		if len(list) != len(test.want) {
			b.Errorf("%s: %d containers, want %d", test.name, len(list), len(test.want))
		}
		for _, c := range list {
			if c.Name != "main" || c.State != cri.ContainerCreated || (c.ID != ids[0] || c.SandboxID != sandboxes[0]) &&
				(c.ID != ids[1] || c.SandboxID != sandboxes[1]) {
				b.Errorf("%s: %+v", test.name, c)
			}
		}
	}
}

func testContainerUnknown(b *bench) {
	unknown := strings.Repeat("0", 64)
	_, err := b.c.Container(b.ctx, unknown)
	b.want(err, cri.ErrNotFound)
	b.want(b.c.StartContainer(b.ctx, unknown), cri.ErrNotFound)
	b.must(b.c.StopContainer(b.ctx, unknown, time.Second))
	b.must(b.c.RemoveContainer(b.ctx, unknown))
	_, err = b.c.ContainerStats(b.ctx, unknown)
	b.want(err, cri.ErrNotFound)
	_, err = b.c.Exec(b.ctx, unknown, []string{"true"}, 0)
	b.want(err, cri.ErrNotFound)
}

func testContainerRemoveRunning(b *bench) {
	id, _, _ := b.started("remove", stubborn)
	b.must(b.c.RemoveContainer(b.ctx, id))
	_, err := b.c.Container(b.ctx, id)
	b.want(err, cri.ErrNotFound)
}

func testContainerPrivileged(b *bench) {
	pod := b.pod("privileged")
	sandbox, err := b.c.RunSandbox(b.ctx, pod, "")
	b.must(err)
	cfg := b.shell("main", idle)
	cfg.Privileged = true
	if _, err := b.c.CreateContainer(b.ctx, sandbox, cfg, pod); err == nil {
		b.Error("a privileged container in a sandbox that is not was accepted")
	}
}
