package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fake is a host whose files are the given ones. A name that ends in "/" is a folder; a
// content that begins with "->" is a symbolic link; a name that begins with "+" is
// executable.
func fake(t *testing.T, files map[string]string) Host {
	t.Helper()
	root := t.TempDir()
	for name, data := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "+") {
			name, mode = name[1:], 0o755
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch target, link := strings.CutPrefix(data, "->"); {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		case link:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(data), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Host{Root: root}
}

// want compares a finding with a level and a part of its detail, and asks for a fix where
// something fails.
func want(t *testing.T, f Finding, level Level, detail string) {
	t.Helper()
	if f.Level != level || !strings.Contains(f.Detail, detail) || f.Name == "" {
		t.Errorf("got %s %q: %q, want %s: %q", f.Level, f.Name, f.Detail, level, detail)
	}
	if f.Level == Fail && f.Fix == "" || f.Level == OK && f.Fix != "" {
		t.Errorf("%s %q with fix %q", f.Level, f.Name, f.Fix)
	}
}

func TestLevelText(t *testing.T) {
	for l, text := range map[Level]string{OK: "ok", Warn: "warn", Fail: "fail"} {
		if l.String() != text {
			t.Errorf("%d is %q, want %q", l, l, text)
		}
	}
}

// On the real host every check comes to an end, and says something.
func TestChecksHere(t *testing.T) {
	var names []string
	for _, f := range Checks(t.Context(), Host{}, Options{Storage: t.TempDir(), MemoryNeed: 1}) {
		t.Log(f.Level, f.Name, "|", f.Detail, "|", f.Fix)
		want(t, f, f.Level, "")
		if f.Detail == "" {
			t.Errorf("%s has no detail", f.Name)
		}
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"kvm", "tun", "memory", "disk", "cni", "ip_forward", "dns",
		"cgroup", "systemd", "cap_sys_resource", "kubelet"}, names); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// An empty root lacks everything, which must not be mistaken for good news.
func TestChecksOfNothing(t *testing.T) {
	bad := 0
	for _, f := range Checks(t.Context(), Host{Root: t.TempDir()}, Options{}) {
		want(t, f, f.Level, "")
		if f.Level != OK {
			bad++
		}
	}
	if bad != 8 { // all but dns and systemd, which may be absent
		t.Errorf("%d findings are bad, want 8", bad)
	}
}

func TestCgroup(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   map[string]string
		version int
		level   Level
	}{
		{"unified", map[string]string{"sys/fs/cgroup/cgroup.controllers": "cpu memory"}, 2, OK},
		{"hybrid", map[string]string{"sys/fs/cgroup/unified/cgroup.controllers": "", "sys/fs/cgroup/memory/": ""}, 1, OK},
		{"old", map[string]string{"sys/fs/cgroup/devices/": ""}, 1, OK},
		{"none", map[string]string{"sys/fs/cgroup/": ""}, 0, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := fake(t, c.files)
			if got := h.CgroupVersion(); got != c.version {
				t.Errorf("version %d, want %d", got, c.version)
			}
			want(t, h.Cgroup(), c.level, "")
		})
	}
}

func TestSystemd(t *testing.T) {
	with := fake(t, map[string]string{"run/systemd/system/": ""})
	want(t, with.Systemd(), OK, "runs this host")
	without := fake(t, nil)
	want(t, without.Systemd(), OK, "does not run")
	if !with.HasSystemd() || without.HasSystemd() {
		t.Error("HasSystemd is wrong")
	}
}

func TestIPForward(t *testing.T) {
	const file = "proc/sys/net/ipv4/ip_forward"
	want(t, fake(t, map[string]string{file: "1\n"}).IPForward(), OK, "on")
	want(t, fake(t, map[string]string{file: "0\n"}).IPForward(), Warn, "off")
	want(t, fake(t, nil).IPForward(), Warn, "unknown")
}

func TestSysResource(t *testing.T) {
	const file = "proc/self/status"
	for _, c := range []struct {
		status string
		level  Level
		detail string
	}{
		{"Name:\tx\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n", OK, "there"},
		{"CapEff:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\n", Warn, "missing"}, // all but bit 24
		{"Name:\tx\n", Warn, "does not say"},
		{"CapBnd:\tnonsense\n", Warn, "unknown"},
	} {
		want(t, fake(t, map[string]string{file: c.status}).SysResource(), c.level, c.detail)
	}
	want(t, fake(t, nil).SysResource(), Warn, "unknown")
}

func TestCNI(t *testing.T) {
	all := []string{"bridge", "host-local", "loopback", "portmap"}
	dir := func(name string, plugins ...string) map[string]string {
		files := map[string]string{name + "/": ""}
		for _, p := range plugins {
			files["+"+name+"/"+p] = "x"
		}
		return files
	}
	for _, c := range []struct {
		name   string
		files  map[string]string
		dirs   []string
		level  Level
		detail string
	}{
		{"Debian", dir("usr/lib/cni", all...), nil, OK, "/usr/lib/cni"},
		{"upstream", dir("opt/cni/bin", all...), nil, OK, "/opt/cni/bin"},
		{"own place", dir("x", all...), []string{"/x"}, OK, "/x"},
		{"own place without", dir("usr/lib/cni", all...), []string{"/x"}, Fail, "no CNI plugins in /x"},
		{"no portmap", dir("opt/cni/bin", "bridge", "host-local", "loopback"), nil, Fail, "lacks portmap: ports"},
		{"several missing", dir("opt/cni/bin", "bridge", "portmap"), nil, Fail, "lacks host-local, loopback"},
		{"empty folder", dir("opt/cni/bin"), nil, Fail, "no CNI plugins"},
		{"not executable", map[string]string{"opt/cni/bin/bridge": "x"}, nil, Fail, "no CNI plugins"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want(t, fake(t, c.files).CNI(c.dirs...), c.level, c.detail)
		})
	}
	t.Run("the better of two incomplete", func(t *testing.T) {
		files := dir("opt/cni/bin", "bridge")
		for name, data := range dir("usr/lib/cni", "bridge", "host-local", "loopback") {
			files[name] = data
		}
		want(t, fake(t, files).CNI(), Fail, "/usr/lib/cni lacks portmap")
	})
}
