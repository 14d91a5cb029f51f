//go:build e2e

package containerd

import (
	"os"
	"slices"
	"strings"
	"testing"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestE2EStopLeavesNothing runs two pods, breaks the runtime in some way, stops it,
// and compares the host with what it was before.
func TestE2EStopLeavesNothing(t *testing.T) {
	broken := map[string]func(t *testing.T, r *rig){
		"in order":               func(*testing.T, *rig) {},
		"shims killed":           func(t *testing.T, r *rig) { r.killShims(t) },
		"daemon killed":          func(t *testing.T, r *rig) { r.killDaemon(t) },
		"daemon, shims killed":   func(t *testing.T, r *rig) { r.killDaemon(t); r.killShims(t) },
		"cannot be started":      func(t *testing.T, r *rig) { r.killDaemon(t); r.spoil(t) },
		"shims killed, no start": func(t *testing.T, r *rig) { r.killDaemon(t); r.killShims(t); r.spoil(t) },
		"process file lost": func(t *testing.T, r *rig) {
			if err := os.Remove(r.paths.process); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, spoil := range broken {
		t.Run(name, func(t *testing.T) {
			onEachContainerd(t, func(t *testing.T, r *rig) {
				r.start(t)
				pods := []*pod{r.runPod(t, "one", "/vmctl"), r.runPod(t, "two", "")}
				during := viewHost(t)
				if !slices.Contains(during.Links, r.paths.bridge) || !slices.ContainsFunc(during.Rules, func(rule string) bool {
					return strings.Contains(rule, `dnat name: \"`+r.paths.cniName)
				}) {
					t.Fatalf("no bridge or no forwarded port while pods run: nothing would be proven\n%v", during)
				}
				spoil(t, r)
				r.stopClean(t, pods...)
				if err := r.Stop(t.Context()); err != nil {
					t.Errorf("stop what is stopped: %v", err)
				}
			})
		})
	}
}

// spoil makes a configuration with which no daemon starts.
func (r *rig) spoil(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(r.paths.config, []byte("version = \"nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestE2EImagesOutliveStop proves what is to stay.
func TestE2EImagesOutliveStop(t *testing.T) {
	onEachContainerd(t, func(t *testing.T, r *rig) {
		r.start(t)
		subnet := r.savedSubnet()
		r.stopClean(t)
		t.Setenv(EnvPause, "/nonexistent") // the copy is good enough
		result := r.start(t)
		if result.AlreadyRunning || r.savedSubnet() != subnet {
			t.Errorf("second start: %+v on %v, first on %v", result, r.savedSubnet(), subnet)
		}
		images := cri.NewImageServiceClient(r.conn)
		answer, err := images.ImageStatus(t.Context(), &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: PauseImage}})
		if err != nil || answer.GetImage() == nil {
			t.Errorf("pause image after a stop: %v, %v", answer, err)
		}
		r.stopClean(t, r.runPod(t, "one", ""))
	})
}
