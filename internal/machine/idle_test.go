package machine

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// What a pod's kernel says: sockets of the demo image with a viewer connected at 10.213.3.2,
// and a connection that is translated to the guest.
const (
	podSockets = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 01031EAC:0035 00000000:0000 0A 00000000:00000000
   1: 00000000:1F46 00000000:0000 0A 00000000:00000000
   2: 0100007F:1644 00000000:0000 0A 00000000:00000000
   3: 00000000:170C 00000000:0000 0A 00000000:00000000
   4: 0203D50A:1F46 0103D50A:8870 06 00000000:00000000
`
	viewerOpen  = "   5: 0203D50A:1F46 0103D50A:995E 01 00000000:00000000\n"
	viewerOpen6 = "   5: 0000000000000000FFFF00000203D50A:1F46 0000000000000000FFFF00000103D50A:995E 01 00000000:00000000\n"
	streamOpen  = "   5: 0100007F:170C 0100007F:995E 01 00000000:00000000\n"
	ownTalk     = "   5: 0100007F:1644 0100007F:995E 01 00000000:00000000\n"
	outbound    = "   5: 0203D50A:995E 08080808:01BB 01 00000000:00000000\n"
	samba       = "   0: 01031EAC:01BD 00000000:0000 0A 00000000:00000000\n   5: 01031EAC:01BD 02031EAC:995E 01 00000000:00000000\n"

	rdpTracked = "ipv4     2 tcp      6 431999 ESTABLISHED src=10.213.3.1 dst=10.213.3.2 sport=48314 dport=3389 src=172.30.3.2 dst=10.213.3.1 sport=3389 dport=48314 [ASSURED] mark=0 zone=0 use=2\n"
	outTracked = "ipv4     2 tcp      6 431999 ESTABLISHED src=172.30.3.2 dst=93.184.216.34 sport=48314 dport=443 src=93.184.216.34 dst=10.213.3.2 sport=443 dport=48314 [ASSURED] mark=0 zone=0 use=2\n"
)

func TestConnections(t *testing.T) {
	pod := netip.MustParseAddr("10.213.3.2")
	for what, test := range map[string]struct {
		sockets, tracked string
		want             bool
	}{
		"nobody":                          {podSockets, "", false},
		"a viewer":                        {podSockets + viewerOpen, "", true},
		"a viewer, by IPv6":               {podSockets + viewerOpen6, "", true},
		"a stream to VNC":                 {podSockets + streamOpen, "", true},
		"the image's own talk":            {podSockets + ownTalk, "", false},
		"what the image fetches":          {podSockets + outbound, "", false},
		"the guest's shared folder":       {podSockets + samba, "", false},
		"RDP":                             {podSockets, rdpTracked, true},
		"what the guest fetches":          {podSockets, outTracked, false},
		"what the guest fetches, and RDP": {podSockets, outTracked + rdpTracked, true},
		"something else":                  {"a b c d\nx:y z:1 0 01\n", "dst=nowhere\n", false},
	} {
		if got := socketsUsed(test.sockets, pod) || translated(test.tracked, pod); got != test.want {
			t.Errorf("%s: %v, want %v", what, got, test.want)
		}
	}
}

// idleRig is a machine with an idle limit, of which a hundredth passes here, and its viewer.
func idleRig(t *testing.T, after string) (r *rig, viewer *atomic.Bool, run func() (stop func())) {
	t.Helper()
	r = newRig(t)
	withAgents(t, r)
	rc := r.recipe(t, "")
	d, err := time.ParseDuration(after)
	if err != nil {
		t.Fatal(err)
	}
	rc.Lifecycle.Idle.After, rc.Lifecycle.Idle.Action = d, "stop"
	mc, err := r.Up(t.Context(), "demo", rc, StartOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.rt.Use(0.05)
	viewer = &atomic.Bool{}
	r.rt.OnExec(containerName, func(critest.ExecCall) critest.ExecResult {
		out := podSockets
		if viewer.Load() {
			address := netip.MustParseAddr(mc.Address).As4()
			out += fmt.Sprintf("   5: %02X%02X%02X%02X:1F46 0100007F:995E 01 00000000:00000000\n", address[3], address[2], address[1], address[0])
		}
		return critest.ExecResult{ExecResult: cri.ExecResult{Stdout: []byte(out + connectionsMark + "\n")}}
	})
	return r, viewer, func() func() {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); (&idleWatch{m: r.Manager, name: "demo", uid: mc.UID}).run(ctx) }()
		return func() { cancel(); <-done }
	}
}

func (r *rig) waitPhase(t *testing.T, want Phase) Machine {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		mc, err := r.Show(t.Context(), "demo")
		if err == nil && mc.Phase == want {
			return mc
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v, %v; want %s", mc, err, want)
		}
	}
}

// TestIdleStops: not while somebody looks, nor while the guest works; then it does, says
// why, and the disk is as after any stop.
func TestIdleStops(t *testing.T) {
	r, viewer, run := idleRig(t, "6s")
	viewer.Store(true)
	stop := run()
	defer stop()
	stays := func(what string) {
		before := r.rt.Count("ContainerStats")
		for r.rt.Count("ContainerStats") < before+20 { // three times the limit
			time.Sleep(5 * time.Millisecond)
		}
		if mc := r.waitPhase(t, Running); mc.Reason != "" {
			t.Errorf("%s: %+v", what, mc)
		}
	}
	stays("a viewer is open")
	r.rt.Use(0.5)
	viewer.Store(false)
	stays("the guest works")
	r.rt.Use(0.05)
	mc := r.waitPhase(t, Stopped)
	if mc.Reason != "nobody used it for 6s" {
		t.Errorf("reason %q", mc.Reason)
	}
	for deadline := time.Now().Add(10 * time.Second); len(r.rt.Sandboxes()) > 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond) // it is seen to be stopped a moment before its pod is gone
	}
	r.empty(t)
	stop()
	if mc := r.up(t, "demo"); mc.Reason != "" || r.counter(t, "demo") != 2 {
		t.Errorf("started again: %+v, counter %d", mc, r.counter(t, "demo"))
	}
}

// TestIdleThatCannotBeSeen: a machine of which nobody knows who uses it is used, and so is
// one that is paused.
func TestIdleThatCannotBeSeen(t *testing.T) {
	r, _, run := idleRig(t, "3s")
	w := &idleWatch{m: r.Manager, name: "demo"}
	mc := r.waitPhase(t, Running)
	w.uid = mc.UID
	for range 3 { // the watch itself is well
		w.unused(t.Context(), time.Millisecond)
	}
	if w.container == "" {
		t.Fatal("it does not look at the machine")
	}
	r.rt.OnExec(containerName, func(critest.ExecCall) critest.ExecResult {
		return critest.ExecResult{ExecResult: cri.ExecResult{ExitCode: 1, Stderr: []byte("no such file")}}
	})
	stop := run()
	defer stop()
	before := r.rt.Count("ContainerStats")
	for r.rt.Count("ContainerStats") < before+20 {
		time.Sleep(5 * time.Millisecond)
	}
	r.waitPhase(t, Running)
	if w.unused(t.Context(), time.Millisecond) != 0 || !w.blind {
		t.Error("unused although nobody knows")
	}
	if _, err := r.connected(t.Context(), mc); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

// TestIdleWithoutProcess says what will not happen.
func TestIdleWithoutProcess(t *testing.T) {
	r := newRig(t)
	var said stages
	rc := r.recipe(t, "")
	rc.Lifecycle.Idle.After, rc.Lifecycle.Idle.Action = time.Hour, "stop"
	if _, err := r.Up(t.Context(), "other", rc, StartOptions{}, said.report); err != nil {
		t.Fatal(err)
	}
	noted := false
	for _, p := range said.list {
		noted = noted || p.Stage == StageNote && strings.Contains(p.Text, "will not be stopped when nobody uses it")
	}
	if !noted {
		t.Errorf("nothing is said where it cannot be done: %+v", said.list)
	}
}

// TestIdleUnderASupervisor ends its work: the machine is not to be started again.
func TestIdleUnderASupervisor(t *testing.T) {
	r, _, run := idleRig(t, "3s")
	var said stages
	done := make(chan error, 1)
	go func() { done <- r.Supervise(t.Context(), "demo", nil, StartOptions{}, said.report, nil) }()
	defer run()()
	if err := <-done; err != nil {
		t.Error(err)
	}
	last := said.list[len(said.list)-1]
	if last.Stage != StageNote || last.Text != "nobody used it for 3s; it was shut down" {
		t.Errorf("the last word is %+v", last)
	}
	r.waitPhase(t, Stopped)
}
