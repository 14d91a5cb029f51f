package machine

import (
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/viewer"
)

func container(state cri.ContainerState, code int) *cri.ContainerStatus {
	return &cri.ContainerStatus{Container: cri.Container{State: state}, ExitCode: code}
}

func TestJudge(t *testing.T) {
	page := func(s viewer.State) viewer.Status { return viewer.Status{State: s} }
	running := container(cri.ContainerRunning, 0)
	for _, tc := range []struct {
		name string
		e    evidence
		want Phase
	}{
		{"nothing", evidence{}, Stopped},
		{"sandbox that died in a reboot", evidence{sandbox: true}, Stopped},
		{"sandbox without a container", evidence{sandbox: true, ready: true}, Creating},
		{"container not started", evidence{sandbox: true, ready: true, container: container(cri.ContainerCreated, 0)}, Creating},
		{"page does not answer", evidence{container: running, viewer: page(viewer.Down)}, Starting},
		{"page says starting", evidence{container: running, viewer: page(viewer.Starting)}, Starting},
		{"page says installing", evidence{container: running, viewer: page(viewer.Installing)}, Installing},
		{"page shows work on an installed guest", evidence{container: running, installed: true, viewer: page(viewer.Installing)}, Starting},
		{"screen is there, setup runs", evidence{container: running, viewer: page(viewer.Ready)}, Installing},
		{"screen is there", evidence{container: running, installed: true, viewer: page(viewer.Ready)}, Running},
		{"asked to stop", evidence{container: running, installed: true, viewer: page(viewer.Ready), intent: intentStop}, Stopping},
		{"stopped", evidence{container: container(cri.ContainerExited, 143)}, Stopped},
		{"powered off inside", evidence{container: container(cri.ContainerExited, 0), intent: intentRun}, Stopped},
		{"killed", evidence{container: container(cri.ContainerExited, 137), intent: intentRun}, Failed},
		{"end not seen", evidence{container: container(cri.ContainerExited, 255)}, Stopped},
		{"image refused", evidence{container: container(cri.ContainerExited, 88)}, Failed},
	} {
		if got, _ := judge(tc.e); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestExplainExit(t *testing.T) {
	timeout := []string{"x", "\x1b[1;31m❯ \x1b[1;36mERROR: Timeout while waiting for QEMU to boot the machine, terminating...\x1b[0m", "❯ Shutdown completed!"}
	died := []string{"❯ ERROR: QEMU exited unexpectedly!"}
	for _, tc := range []struct {
		name   string
		code   int
		reason string
		want   intent
		log    []string
		clean  bool
		text   string
	}{
		{"power off", 0, "", intentRun, []string{"❯ Shutdown completed!"}, true, "shut down"},
		{"firmware never booted", 0, "", intentRun, timeout, false, "the firmware did not boot the guest within 30 s"},
		{"sigterm", 143, "", intentStop, nil, true, "shut down"},
		{"QEMU killed", 137, "Error", intentRun, died, false, "QEMU ended unexpectedly"},
		{"killed after our stop", 137, "Error", intentStop, nil, true, "killed after its grace"},
		{"killed from outside", 137, "Error", intentRun, nil, false, "killed from outside (SIGKILL)"},
		{"out of memory", 137, "OOMKilled", intentRun, nil, false, "killed: out of memory"},
		{"reboot", 255, "Unknown", intentRun, nil, true, "its end was not seen: the host or the runtime was restarted"},
		{"known code with its line", 71, "", intentRun, []string{"ERROR: shrinking is not supported"}, false, "exit code 71: the disk cannot be made smaller: shrinking is not supported"},
		{"known code", 88, "", intentRun, nil, false, "exit code 88: hardware virtualisation (KVM) is not available to the guest"},
		{"unknown code with its line", 99, "", intentRun, []string{"ERROR: odd"}, false, "exit code 99: odd"},
		{"unknown code", 99, "", intentRun, nil, false, "exit code 99: no error message in its log"},
	} {
		got := explainExit(cri.ContainerStatus{ExitCode: tc.code, Reason: tc.reason}, tc.want, tc.log)
		if got.clean != tc.clean || got.text != tc.text {
			t.Errorf("%s: %+v, want clean=%v %q", tc.name, got, tc.clean, tc.text)
		}
	}
	got := explainExit(cri.ContainerStatus{ExitCode: 128, Reason: "StartError", Message: "runc:\n no"}, intentRun, nil)
	if got.text != "the container did not start: runc: no" {
		t.Errorf("start error: %q", got.text)
	}
}

func TestEndangered(t *testing.T) {
	win := diskFacts{marker: "windows.boot", present: true}
	with := func(change func(*diskFacts)) diskFacts { f := win; change(&f); return f }
	for _, tc := range []struct {
		name string
		f    diskFacts
		want bool
	}{
		{"no disk yet", diskFacts{marker: "windows.boot"}, false},
		{"image without markers", diskFacts{present: true, allocated: 9 << 30, installed: true}, false},
		{"setup just begun", with(func(f *diskFacts) { f.allocated = 100 << 20 }), false},
		{"installed and marked", with(func(f *diskFacts) { f.marked, f.installed, f.allocated = true, true, 20<<30 }), false},
		{"installed, never stopped cleanly", with(func(f *diskFacts) { f.installed = true }), true},
		{"nobody saw the end, but the disk is full of something", with(func(f *diskFacts) { f.allocated = 9 << 30 }), true},
		{"just at the limit", with(func(f *diskFacts) { f.allocated = guardAllocated }), true},
		{"just below the limit", with(func(f *diskFacts) { f.allocated = guardAllocated - 1 }), false},
	} {
		if got := endangered(tc.f) != ""; got != tc.want {
			t.Errorf("%s: %v, want %v (%s)", tc.name, got, tc.want, endangered(tc.f))
		}
	}
}

func TestIsReadyMarker(t *testing.T) {
	for line, want := range map[string]bool{
		"VMCTL_READY":                    true,
		"C:\\>VMCTL_READY":               true,
		"running: echo VMCTL_READY>COM1": false,
		"BdsDxe: starting Boot0001":      false,
		"":                               false,
	} {
		if got := isReadyMarker(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
