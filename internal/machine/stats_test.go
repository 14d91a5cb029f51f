package machine

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
)

func TestMeasure(t *testing.T) {
	r := newRig(t)
	up := r.up(t, "demo")
	stopped, err := r.Create(t.Context(), "other", r.recipe(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	machines := []Machine{up, stopped, {Name: "lost", UID: "x", Phase: Running, ContainerID: "gone", SandboxID: "gone"}}
	meter := r.NewMeter()
	first, err := meter.Measure(t.Context(), machines)
	if err != nil {
		t.Fatal(err)
	}
	if u := first[0]; u.CPU >= 0 || u.NetInRate >= 0 || u.Memory != 64<<20 || u.DiskSize <= 0 || u.NetIn < 0 {
		t.Errorf("the first sample: %+v", u)
	}
	r.rt.Use(1.5)
	if _, err := meter.Measure(t.Context(), machines); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // what is measured takes its time
	u, err := meter.Measure(t.Context(), machines)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(u[0].CPU-150) > 1 || math.Abs(u[0].NetOutRate-2000) > 300 {
		t.Errorf("CPU %v, want 150; out %v, want 2000", u[0].CPU, u[0].NetOutRate)
	}
	nothing := unknownUsage()
	if diff := cmp.Diff(nothing, u[2]); diff != "" {
		t.Error(diff)
	}
	nothing.DiskSize, nothing.DiskUsed = 0, 0
	if diff := cmp.Diff(nothing, u[1]); diff != "" {
		t.Error(diff)
	}
	r.rt.At("ListContainerStats", 1).Fail(codes.Unknown, "no")
	if _, err := meter.Measure(t.Context(), machines); err == nil {
		t.Error("no error")
	}
}

// TestRates: a runtime that samples by itself gives the same sample twice, and one whose
// counters begin anew does not make a rate below nothing.
func TestRates(t *testing.T) {
	x := (&Manager{}).NewMeter()
	at := time.Unix(100, 0)
	x.cpu["c"] = cri.ContainerStats{Time: at, CPUTime: time.Second}
	x.net["s"] = cri.NetworkStats{Time: at, RxBytes: 1000}
	x.rate["c"] = Usage{CPU: 42, NetInRate: 7, NetOutRate: 8}
	mc := Machine{ContainerID: "c", SandboxID: "s"}
	if got := x.cpuRate("c", x.cpu["c"]); got != 42 {
		t.Errorf("CPU of the same sample: %v", got)
	}
	if in, out := x.netRate(mc, x.net["s"]); in != 7 || out != 8 {
		t.Errorf("network of the same sample: %v, %v", in, out)
	}
	if got := x.cpuRate("c", cri.ContainerStats{Time: at.Add(time.Second)}); got != 0 {
		t.Errorf("CPU of a counter that begins anew: %v", got)
	}
	if in, _ := x.netRate(mc, cri.NetworkStats{Time: at.Add(2 * time.Second), RxBytes: 3000}); in != 1000 {
		t.Errorf("network: %v, want 1000", in)
	}
}
