package containerd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSettingsOfAPlainHost(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	t.Setenv(EnvPause, write(t, filepath.Join(i.paths.root, "pause.tar"), "", 0o600))
	s, notes := i.settings(binaries{runc: "/usr/sbin/runc", plugins: plugins{dir: "/usr/lib/cni", portmap: true, firewall: true}}, 27)
	if s.gid != 27 || s.runc != "/usr/sbin/runc" || s.pluginDir != "/usr/lib/cni" || s.pauseImage != PauseImage {
		t.Errorf("settings %+v", s)
	}
	for _, note := range notes { // only what this host really lacks
		if !strings.Contains(note, "CAP_SYS_RESOURCE") && !strings.Contains(note, "overlay") {
			t.Errorf("note %q", note)
		}
	}
	if s.restrictOOM == hasCapability(capSysResource) {
		t.Errorf("restrictOOM %v", s.restrictOOM)
	}
}

func TestSettingsTellWhatIsMissing(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	i.paths.root = filepath.Join(i.paths.root, "absent") // an overlay cannot be tried there
	t.Setenv(EnvPause, "")
	s, notes := i.settings(binaries{plugins: plugins{dir: "/opt/cni/bin"}}, 0)
	if s.snapshotter != "native" {
		t.Errorf("snapshotter %q", s.snapshotter)
	}
	wants := []string{"overlay", "portmap in /opt/cni/bin", "firewall in /opt/cni/bin"}
	if i.findPause() == "" { // unless vmctl is installed here
		wants = append(wants, publicPauseImage)
	}
	for _, want := range wants {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("no note on %q in %q", want, notes)
		}
	}
}

func TestPauseArchiveIsFound(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	t.Setenv(EnvPause, filepath.Join(i.paths.root, "absent.tar"))
	kept := write(t, i.paths.pause, "", 0o600)
	if got := i.findPause(); got == "" {
		t.Error("the copy of an earlier start is not found")
	}
	given := write(t, filepath.Join(i.paths.root, "given.tar"), "", 0o600)
	t.Setenv(EnvPause, given)
	if got := i.findPause(); got != given || got == kept {
		t.Errorf("found %q, want the one that is named", got)
	}
}

func TestImportPauseOnlyIfOurs(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	if err := i.importPause(t.Context(), settings{pauseImage: publicPauseImage}); err != nil {
		t.Errorf("nothing to load: %v", err)
	}
	t.Setenv(EnvPause, write(t, filepath.Join(i.paths.root, "x.tar"), "", 0o600))
	if err := i.importPause(t.Context(), settings{pauseImage: PauseImage}); err == nil || !strings.Contains(err.Error(), "pause image") {
		t.Errorf("without a daemon: %v", err)
	}
}

func TestGiveUpLeavesNothing(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	p := standIn(t, "containerd")
	if err := p.write(i.paths.process); err != nil {
		t.Fatal(err)
	}
	if err := i.giveUp(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(i.paths.state); p.alive() || !os.IsNotExist(err) {
		t.Errorf("alive %v, state directory: %v", p.alive(), err)
	}
}

func TestGiveUpKeepsAnEarlierDaemonsPods(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	pod := filepath.Join(i.paths.runc, "k8s.io", strings.Repeat("a", 64))
	if err := os.MkdirAll(pod, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := i.giveUp(t.Context(), standIn(t, "containerd")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(pod); err != nil {
		t.Errorf("runc's state of a pod: %v", err)
	}
}

func TestStatus(t *testing.T) {
	i := instanceAt(t, t.TempDir())
	before, err := i.Status(t.Context())
	if err != nil || before.Running || before.Subnet != "" || before.CgroupDriver != "" || before.Socket != i.paths.socket {
		t.Errorf("before the first start: %+v, %v", before, err)
	}
	if _, err := i.writeNetwork(plugins{version: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
	p := self(t)
	p.Version, p.Since = "2.4.2", time.Unix(1000, 0).UTC()
	if err := p.write(i.paths.process); err != nil {
		t.Fatal(err)
	}
	for text, driver := range map[string]string{"SystemdCgroup = true": "systemd", "SystemdCgroup = false": "cgroupfs"} {
		write(t, i.paths.config, text, 0o600)
		s, err := i.Status(t.Context())
		if err != nil || !s.Running || s.PID != p.PID || s.Version != "2.4.2" || !s.Since.Equal(p.Since) {
			t.Errorf("running: %+v, %v", s, err)
		}
		if s.CgroupDriver != driver || s.Subnet != i.savedSubnet().String() || s.Bridge != i.paths.bridge {
			t.Errorf("running: %+v, want driver %q", s, driver)
		}
	}
	p.Start++ // the number went to somebody else
	if err := p.write(i.paths.process); err != nil {
		t.Fatal(err)
	}
	if s, err := i.Status(t.Context()); err != nil || s.Running || s.PID != 0 || s.Subnet == "" {
		t.Errorf("after a crash: %+v, %v", s, err)
	}
}
