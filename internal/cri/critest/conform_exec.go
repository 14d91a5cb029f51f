package critest

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"vmctl/internal/cri"
)

func execTests() []conformanceTest {
	return []conformanceTest{
		{name: "output and exit code", run: testExec},
		{name: "a command that takes too long", run: testExecTimeout},
		{name: "in a container that has ended", run: testExecEnded},
		{name: "live input and output", run: testExecStream},
		{name: "live: exit code", run: testExecStreamExit},
		{name: "live: a caller that leaves", run: testExecStreamCancelled},
		{name: "live: a terminal", needs: isolated, run: testExecStreamTTY},
	}
}

func testExec(b *bench) {
	id, _, _ := b.started("exec", idle)
	r, err := b.c.Exec(b.ctx, id, []string{"/bin/sh", "-c", "echo out; echo err >&2; exit 5"}, 10*time.Second)
	b.must(err)
	if string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" || r.ExitCode != 5 {
		b.Errorf("result = %q, %q, %d", r.Stdout, r.Stderr, r.ExitCode)
	}
}

func testExecTimeout(b *bench) {
	id, _, _ := b.started("slow", idle)
	begin := time.Now()
	_, err := b.c.Exec(b.ctx, id, []string{"/bin/sh", "-c", "sleep 60"}, time.Second)
	b.want(err, cri.ErrTimeout)
	if took := time.Since(begin); took > 20*time.Second {
		b.Errorf("took %v", took)
	}
	_, err = b.c.Exec(b.ctx, id, []string{"/bin/sh", "-c", "true"}, 10*time.Second)
	b.must(err)
}

func testExecEnded(b *bench) {
	id, _, _ := b.started("ended", "echo ready")
	b.waitExit(id)
	if _, err := b.c.Exec(b.ctx, id, []string{"true"}, time.Second); err == nil {
		b.Error("a command ran in a container that has ended")
	}
	if _, err := b.c.ExecStream(b.ctx, id, []string{"true"}, cri.ExecIO{}); err == nil {
		b.Error("a live command ran in a container that has ended")
	}
}

func testExecStream(b *bench) {
	id, _, _ := b.started("live", idle)
	in := strings.Repeat("a line of input\n", 20000)
	var out, errOut bytes.Buffer
	code, err := b.c.ExecStream(b.ctx, id, []string{"/bin/sh", "-c", "cat; echo done >&2"},
		cri.ExecIO{Stdin: strings.NewReader(in), Stdout: &out, Stderr: &errOut})
	b.must(err)
	if code != 0 || out.String() != in || errOut.String() != "done\n" {
		b.Errorf("exit code %d, %d of %d bytes, stderr %q", code, out.Len(), len(in), errOut.String())
	}
}

func testExecStreamExit(b *bench) {
	id, _, _ := b.started("liveexit", idle)
	code, err := b.c.ExecStream(b.ctx, id, []string{"/bin/sh", "-c", "exit 9"}, cri.ExecIO{})
	b.must(err)
	if code != 9 {
		b.Errorf("exit code %d, want 9", code)
	}
}

func testExecStreamCancelled(b *bench) {
	id, _, _ := b.started("liveleave", idle)
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	out := &trigger{text: "begun", then: cancel}
	begin := time.Now()
	_, err := b.c.ExecStream(ctx, id, []string{"/bin/sh", "-c", "echo begun; sleep 5"}, cri.ExecIO{Stdout: out})
	b.want(err, context.Canceled)
	if took := time.Since(begin); took > 4*time.Second {
		b.Errorf("the call went on for %v", took)
	}
}

func testExecStreamTTY(b *bench) {
	id, _, _ := b.started("tty", idle)
	sizes := make(chan cri.Size, 1)
	sizes <- cri.Size{Width: 91, Height: 31}
	var out bytes.Buffer
	// The size may come after the start of the command.
	script := `test -t 0 || exit 4; n=0; while [ "$(stty size 2>/dev/null)" != "31 91" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; stty size`
	code, err := b.c.ExecStream(b.ctx, id, []string{"/bin/sh", "-c", script},
		cri.ExecIO{Stdin: neverEnding(b.ctx), Stdout: &out, TTY: true, Resize: sizes})
	b.must(err)
	if code != 0 || strings.TrimSpace(out.String()) != "31 91" {
		b.Errorf("exit code %d, terminal size %q", code, out.String())
	}
}

// neverEnding is a keyboard that nobody touches.
func neverEnding(ctx context.Context) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.Close() })
	return r
}

// trigger is a writer that does something when it sees a text.
type trigger struct {
	text string
	then func()
	seen bytes.Buffer
}

func (w *trigger) Write(p []byte) (int, error) {
	w.seen.Write(p)
	if strings.Contains(w.seen.String(), w.text) {
		w.then()
	}
	return len(p), nil
}
