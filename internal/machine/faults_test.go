package machine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/recipe"
)

// faultVerb is what a user does (but logs, which asks the runtime nothing, and stop --force, as the
// imitation has no QEMU to kill), with the machine "demo" up or stopped before it.
type faultVerb struct {
	name string
	up   bool
	do   func(ctx context.Context, r *rig, rec *recipe.Recipe) error
}

func faultVerbs() []faultVerb {
	return []faultVerb{
		{"up", false, func(ctx context.Context, r *rig, rec *recipe.Recipe) error {
			_, err := r.Up(ctx, "demo", rec, StartOptions{}, nil)
			return err
		}},
		{"start", false, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Start(ctx, "demo", StartOptions{}, nil)
			return err
		}},
		{"start of what runs", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Start(ctx, "demo", StartOptions{}, nil)
			return err
		}},
		{"stop", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			return r.Stop(ctx, "demo", StopOptions{}, nil)
		}},
		{"restart", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Restart(ctx, "demo", StopOptions{}, StartOptions{}, nil)
			return err
		}},
		{"delete", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			return r.Delete(ctx, "demo", DeleteOptions{Force: true}, nil)
		}},
		{"snapshot create", false, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Snapshot(ctx, "demo", "second", nil)
			return err
		}},
		{"snapshot restore", false, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.RestoreSnapshot(ctx, "demo", "first", nil)
			return err
		}},
		{"clone", false, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Clone(ctx, "demo", "twin", nil)
			return err
		}},
		{"pause", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error { return r.Pause(ctx, "demo", nil) }},
		{"exec", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Exec(ctx, "demo", []string{"true"}, time.Second)
			return err
		}},
		{"forward", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error {
			_, err := r.Ports(ctx, "demo", true)
			return err
		}},
		{"ls", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error { _, err := r.List(ctx); return err }},
		{"show", true, func(ctx context.Context, r *rig, _ *recipe.Recipe) error { _, err := r.Show(ctx, "demo"); return err }},
	}
}

// before brings the machine to where the verb begins: it has run once before.
func (v faultVerb) before(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.monitored()
	r.guest.InstallTime.Store(1)
	r.up(t, "demo")
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Snapshot(t.Context(), "demo", "first", nil); err != nil {
		t.Fatal(err)
	}
	r.up(t, "demo")
	if !v.up {
		if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// calls are those that the verb makes while nothing goes wrong, each with how often.
func (v faultVerb) calls(t *testing.T) map[string]int {
	t.Helper()
	r := v.before(t)
	skip := len(r.rt.Calls())
	_ = v.do(t.Context(), r, r.recipe(t, ""))
	counts := map[string]int{}
	for _, c := range r.rt.Calls()[skip:] {
		counts[c.Method] = min(counts[c.Method]+1, 2) // what is polled, twice
	}
	return counts
}

// TestFaultsFake lets each call that each verb makes fail, pass its deadline, and succeed without
// an answer: there is one error or none, never a second container on the disk, the disk keeps
// what it has, and the next commands mend what is half done.
func TestFaultsFake(t *testing.T) {
	for _, v := range faultVerbs() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			tried := 0
			for method, times := range v.calls(t) {
				for n := 1; n <= times; n++ {
					for _, fault := range faultsOf(method) {
						v.strike(t, method, n, fault)
						tried++
					}
				}
			}
			t.Logf("%-20s tried %d", v.name, tried)
		})
	}
}

// faultsOf are the ways in which a call goes wrong. Whether one that changes nothing was carried
// out makes no difference.
func faultsOf(method string) []string {
	for _, reads := range []string{"List", "Status", "Version"} {
		if strings.Contains(method, reads) {
			return []string{"fail", "stall"}
		}
	}
	return []string{"fail", "stall", "late", "lost answer"}
}

func (v faultVerb) strike(t *testing.T, method string, n int, fault string) {
	t.Helper()
	r := v.before(t)
	had := r.counter(t, "demo")
	switch at := r.rt.At(method, n); fault {
	case "fail":
		at.Fail(codes.Unknown, "no such luck")
	case "stall": // what the client sees of a call that hangs past its deadline
		at.Fail(codes.DeadlineExceeded, "context deadline exceeded")
	case "late": // the same, of one that was carried out in the end
		at.FailAfter(codes.DeadlineExceeded, "context deadline exceeded")
	case "lost answer":
		at.LoseAnswer()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := v.do(ctx, r, r.recipe(t, ""))
	what := fmt.Sprintf("%s, call %d of %s, %s (%v)", v.name, n, method, fault, err)
	if ctx.Err() != nil {
		t.Errorf("%s: it hangs", what)
	}
	if err != nil && strings.TrimSpace(err.Error()) == "" {
		t.Errorf("%s: an error that says nothing", what)
	}
	r.rt.Heal()
	if running := r.running(); running > 1 {
		t.Errorf("%s: %d containers on one disk", what, running)
	}
	if _, err := r.Up(t.Context(), "demo", r.recipe(t, ""), StartOptions{}, nil); err != nil {
		t.Errorf("%s: then up says: %v", what, err)
		return
	}
	if running := r.running(); running != 1 {
		t.Errorf("%s: after up, %d containers run", what, running)
	}
	restored := v.name == "snapshot restore" && r.counter(t, "demo") == 2
	if now := r.counter(t, "demo"); now < had && !restored {
		t.Errorf("%s: the counter went from %d to %d", what, had, now)
	}
	if err := r.Stop(t.Context(), "demo", StopOptions{}, nil); err != nil {
		t.Errorf("%s: then stop says: %v", what, err)
	}
	if s, c := len(r.rt.Sandboxes()), len(r.rt.Containers()); s+c > 0 {
		t.Errorf("%s: left: %d sandboxes, %d containers", what, s, c)
	}
}

// running is how many containers run.
func (r *rig) running() int {
	list := slices.DeleteFunc(r.rt.Containers(), func(c critest.Container) bool { return c.State != cri.ContainerRunning })
	return len(list)
}
