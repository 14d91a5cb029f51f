package recipe

import (
	"path"
	"testing"
)

func TestContracts(t *testing.T) {
	for _, g := range Guests() {
		c := (&Recipe{Guest: g}).Contract()
		if c.Guest != g || c.DefaultImage == "" || c.ViewerPort != 8006 || c.VNCPort != 5900 || len(c.IdentityEnv) == 0 {
			t.Errorf("%s: incomplete: %+v", g, c)
		}
		if c.StopGrace <= StopMargin || c.defaults.CPUs.IsZero() || c.defaults.Memory.IsZero() || c.defaults.Disk.IsZero() {
			t.Errorf("%s: no defaults: %+v", g, c)
		}
		if c.HasReadyMarker != (c.ready == ReadyLog) {
			t.Errorf("%s: ready %q with marker %t", g, c.ready, c.HasReadyMarker)
		}
		if guest, ok := guestOf(c.DefaultImage); !ok || guest != g {
			t.Errorf("%s: image %s is taken for %q", g, c.DefaultImage, guest)
		}
		for _, p := range append(c.DiskNames, c.MarkerFile, c.BaseFile) {
			if _, err := path.Match(p, "x"); err != nil {
				t.Errorf("%s: pattern %q: %v", g, p, err)
			}
		}
	}
	for g, want := range map[Guest]string{Windows: "windows.boot", Demo: "demo.boot", MacOS: "", Linux: ""} {
		if got := contractOf(g).MarkerFile; got != want {
			t.Errorf("%s: marker %q, want %q", g, got, want)
		}
	}
}

func TestGuestOf(t *testing.T) {
	for image, want := range map[string]Guest{
		"dockurr/windows":                           Windows,
		"docker.io/dockurr/windows:6.05":            Windows,
		"ghcr.io/dockur/windows@sha256:00":          Windows,
		"registry:5000/mirror/dockurr/macos:3.12":   MacOS,
		"qemux/qemu:7.48@sha256:00":                 Linux,
		"localhost/vmctl-demo:1":                    Demo,
		"docker.io/library/debian:12":               "",
		"example.org/notdockurr/windowsish:1":       "",
		"example.org/team/my-qemux/qemu-like/x:5.2": "",
		"": "",
	} {
		got, ok := guestOf(image)
		if got != want || ok != (want != "") {
			t.Errorf("guestOf(%q) = %q, %t; want %q", image, got, ok, want)
		}
	}
}

func TestGuestData(t *testing.T) {
	for g, least := range map[Guest]int{Windows: 35, MacOS: 7, Linux: 24} {
		if n := len(Versions(g)); n < least {
			t.Errorf("%s: %d versions, want at least %d", g, n, least)
		}
		seen := map[string]string{}
		for _, v := range Versions(g) {
			if v.ID == "" || v.Title == "" {
				t.Errorf("%s: incomplete: %+v", g, v)
			}
			for _, name := range append([]string{v.ID}, v.Names...) {
				if other, twice := seen[name]; twice && other != v.ID {
					t.Errorf("%s: %q is %s and %s", g, name, other, v.ID)
				}
				seen[name] = v.ID
			}
		}
	}
	if Versions(Demo) != nil {
		t.Error("the demo guest has versions")
	}
	if len(Languages()) != 39 {
		t.Errorf("%d languages", len(Languages()))
	}
}

func TestFindVersion(t *testing.T) {
	for _, tt := range []struct {
		guest    Guest
		spelling string
		id       string
	}{
		{Windows, "11", "win11x64"},
		{Windows, " Windows 11 ", "win11x64"},
		{Windows, "win2019-hv", "win2019-hv"},
		{Windows, "12", ""},
		{Windows, "", ""},
		{MacOS, "Sequoia", "15"},
		{MacOS, "15.3.1", "15"},
		{MacOS, "16", "26"},
		{MacOS, "9", ""},
		{Linux, "Ubuntu-Server", "ubuntus"},
		{Linux, "windows", ""},
		{Demo, "1", ""},
	} {
		v, ok := FindVersion(tt.guest, tt.spelling)
		if v.ID != tt.id || ok != (tt.id != "") {
			t.Errorf("FindVersion(%s, %q) = %q, %t; want %q", tt.guest, tt.spelling, v.ID, ok, tt.id)
		}
	}
}

func TestKnownLanguage(t *testing.T) {
	for spelling, want := range map[string]bool{
		"en": true, "en-US": true, "pt_BR": true, "French": true, "español": true, "zh-TW": true, "de-CH": true,
		"xx": false, "": false, "english please": false,
	} {
		if got := knownLanguage(spelling); got != want {
			t.Errorf("knownLanguage(%q) = %t", spelling, got)
		}
	}
}

func TestIsMedia(t *testing.T) {
	for s, want := range map[string]bool{
		"https://example.org/x": true, "HTTP://x/y.iso": true, "win.iso": true, "disk.QCOW2": true,
		"11": false, "8.1": false, "ftp://x/y": false,
	} {
		if got := isMedia(s); got != want {
			t.Errorf("isMedia(%q) = %t", s, got)
		}
	}
}

func TestMacOSProcessors(t *testing.T) {
	for n := 1; n <= 64; n++ {
		r := &Recipe{Guest: MacOS, Resources: Resources{CPUs: CPUs{Count: n}}}
		d := &reader{}
		d.checkResources(r)
		accepted := n <= 16 || n == 24 || n == 32 || n == 64
		if refused := len(d.problems) > 0 && d.problems[0].Field == "resources.cpus"; refused == accepted {
			t.Errorf("%d processors: refused = %t", n, refused)
		}
	}
}
