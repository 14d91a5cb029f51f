package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"vmctl/internal/recipe"
)

// folder makes a storage directory: file name and content. A content that is a size,
// "64G", makes a sparse file.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vm")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if size, err := recipe.ParseSize(content); err == nil && strings.HasPrefix(filepath.Base(name), "data.") {
			if err := os.Truncate(path, size.Bytes); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// qcow is the head of a qcow2 file of that size.
func qcow(gib uint64) string {
	head := make([]byte, 104)
	copy(head, qcowMagic)
	binary.BigEndian.PutUint32(head[4:], 3)
	binary.BigEndian.PutUint64(head[24:], gib<<30)
	return string(head)
}

func TestAdopt(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   map[string]string
		service string
		folder  string // below the directory; "" is itself
		recipe  string // what must be in it, a line each
		notes   string // the same
	}{
		{"windows", map[string]string{"data.img": "64G", "windows.base": "win11x64_fr.iso\n", "windows.boot": "", "windows.ver": "6.05", "windows.mac": "02:00:00:00:00:01"}, "", "",
			"guest = \"windows\"\ndisk = \"64G\"\nVERSION = \"11\"\nLANGUAGE = \"fr\"", "LANGUAGE may have been fr, fr-ca"},
		{"english", map[string]string{"data.img": "40G", "windows.base": "win10x64-enterprise-ltsc-eval.iso", "windows.boot": ""}, "", "",
			"VERSION = \"10l\"\ndisk = \"40G\"", ""},
		{"capitals", map[string]string{"data.img": "40G", "windows.base": "Win2022-eval_DE.iso", "windows.boot": ""}, "", "",
			"VERSION = \"2022\"\nLANGUAGE = \"de\"", ""},
		{"an older release", map[string]string{"data.img": "40G", "windows.base": "win11x64.iso", "windows.boot": "", "windows.ver": "5.14"}, "", "",
			"VERSION = \"11\"", "installed by release 5.14 of the image; the recipe takes 6.05"},
		{"never finished", map[string]string{"data.img": "40G", "windows.base": "win11x64.iso"}, "", "",
			"VERSION = \"11\"", "WARNING: windows.boot is missing\n--mark-installed"},
		{"an ISO of one's own", map[string]string{"data.img": "40G", "windows.base": "windows.133187584.iso", "windows.boot": ""}, "", "",
			"VERSION = \"11\" # not used while the disk is there", ""},
		{"an ISO from elsewhere", map[string]string{"data.img": "40G", "windows.base": "Win11_24H2.iso", "windows.boot": ""}, "", "",
			"VERSION = \"https://example.invalid/Win11_24H2.iso\" # write the URL", "installed from \"Win11_24H2.iso\""},
		{"an unknown language", map[string]string{"data.img": "40G", "windows.base": "win11x64_xx.iso", "windows.boot": ""}, "", "",
			"VERSION = \"https://example.invalid/win11x64_xx.iso\"", "must end in that name"},
		{"qcow2", map[string]string{"data.qcow2": qcow(100), "windows.base": "win11x64.iso", "windows.boot": ""}, "", "",
			"disk = \"100G\"\nDISK_FMT = \"qcow2\"", ""},
		{"the folder around it", map[string]string{"compose.yml": "", "windows/data.img": "40G", "windows/windows.base": "win11x64.iso", "windows/windows.boot": ""}, "", "windows",
			"VERSION = \"11\"", ""},
		{"macOS", map[string]string{"15/data.img": "64G", "15/base.dmg": "x", "15/macos.mac": "x"}, "", "15", "guest = \"macos\"\nVERSION = \"15\"", ""},
		{"two of macOS", map[string]string{"14/data.img": "64G", "14/base.dmg": "x", "sequoia/data.img": "64G", "sequoia/base.dmg": "x"}, "sequoia", "sequoia",
			"VERSION = \"sequoia\"", ""},
		{"macOS without its medium", map[string]string{"15/data.img": "64G", "15/macos.mac": "x"}, "", "15", "VERSION = \"15\"", "WARNING: base.dmg is missing"},
		{"around macOS", map[string]string{"macos/14/data.img": "64G", "macos/14/base.dmg": "x"}, "", "macos/14", "VERSION = \"14\"", ""},
		{"qemu", map[string]string{"ubuntu/data.img": "16G", "ubuntu/qemu.mac": "x", "ubuntu/boot.iso": "x"}, "", "ubuntu", "guest = \"linux\"\nBOOT = \"ubuntu\"", ""},
		{"qemu at the root", map[string]string{"data.img": "16G", "qemu.mac": "x"}, "", "", "BOOT = \"https://example.invalid/vm.iso\" # not used while the disk is there", ""},
		{"a bare disk", map[string]string{"data.img": "16G"}, "", "", "guest = \"linux\"", "nothing but the disk tells"},
		{"demo", map[string]string{"data.img": "1G", "demo.base": "demo-2.img\n", "demo.boot": ""}, "", "", "guest = \"demo\"\nVERSION = \"2\"", ""},
		{"demo, never finished", map[string]string{"data.img": "1G", "demo.base": "demo-1.img\n"}, "", "", "guest = \"demo\"", "WARNING: demo.boot is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.files)
			before := snapshot(t, dir)
			w, notes, err := Import([]string{dir}, tt.service)
			if err != nil {
				t.Fatal(err)
			}
			text, more, err := w.Recipe()
			if err != nil {
				t.Fatal(err)
			}
			checkParses(t, text, "/vm.toml")
			path := fmt.Sprintf("path = %q", filepath.Join(dir, tt.folder))
			contains(t, string(text), path+"\n"+tt.recipe)
			all := fmt.Sprint(append(notes, more...))
			contains(t, all, tt.notes)
			if tt.notes == "" && len(notes)+len(more) > 0 {
				t.Errorf("unexpected notes: %s", all)
			}
			if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
				t.Errorf("the directory was changed:\n%s", diff)
			}
		})
	}
}

func contains(t *testing.T, text, lines string) {
	t.Helper()
	for _, line := range strings.Split(lines, "\n") {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in:\n%s", line, text)
		}
	}
}

// snapshot is all that is known of the files of a directory, but when they were read.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return err
		}
		content := ""
		if d.Type().IsRegular() && st.Size < 1<<20 {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(data)
		}
		out[path] = fmt.Sprint(st.Mode, st.Size, st.Blocks, st.Mtim, st.Ctim, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAdoptRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   map[string]string
		service string
		want    string
	}{
		{"no disk", map[string]string{"windows.base": "x"}, "", "no disk here"},
		{"several", map[string]string{"14/data.img": "1G", "15/data.img": "1G"}, "", `several folders have a disk: "14", "15"`},
		{"none of that name", map[string]string{"14/data.img": "1G", "15/data.img": "1G"}, "16", `no folder "16"`},
		{"an empty disk", map[string]string{"data.img": ""}, "", "data.img: has 0 bytes"},
		{"a damaged disk", map[string]string{"data.qcow2": qcow(1 << 33)}, "", "it is damaged"},
		{"a machine of vmctl's", map[string]string{"recipe.toml": "", "machine.json": "", "storage/data.img": "1G"}, "", `belongs to the machine "vm"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Adopt(folder(t, tt.files), tt.service)
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want ErrInput with %q", err, tt.want)
			}
		})
	}
	if _, _, err := Adopt(filepath.Join(t.TempDir(), "none"), ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v for a directory that is not there", err)
	}
}

// A disk on which QEMU runs is locked in the kernel.
func TestAdoptInUse(t *testing.T) {
	dir := folder(t, map[string]string{"data.img": "1G", "demo.base": "demo-1.img", "demo.boot": ""})
	f, err := os.OpenFile(filepath.Join(dir, "data.img"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// QEMU's byte 100 and up (block/file-posix.c RAW_LOCK_PERM_BASE), a shared lock.
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_RDLCK, Start: 100, Len: 1}); err != nil {
		t.Fatal(err)
	}
	_, notes, err := Adopt(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, fmt.Sprint(notes), "WARNING: a machine runs on")
}

// cultures are what dockur/windows v6.05 src/define.sh getLanguage says for each
// language, as far as the name of an ISO has it.
func cultures() map[string]string {
	return map[string]string{
		"ar": "ar", "bg": "bg", "cs": "cs", "da": "da", "de": "de", "el": "el", "en-gb": "en", "en": "en", "es-mx": "es", "es": "es",
		"et": "et", "fi": "fi", "fr-ca": "fr", "fr": "fr", "he": "he", "hr": "hr", "hu": "hu", "it": "it", "ja": "ja", "ko": "ko",
		"lt": "lt", "lv": "lv", "nn": "nb", "nl": "nl", "pl": "pl", "pt-br": "pt", "pt-pt": "pt", "ro": "ro", "ru": "ru", "sk": "sk",
		"sl": "sl", "sr": "sr", "sv": "sv", "th": "th", "tr": "tr", "uk": "uk", "zh-hk": "zh", "zh-tw": "zh", "zh": "zh",
	}
}

// Whatever was installed, the image must compute the same name from the recipe: if it
// does not, it moves the disk away.
func TestIdentityOfEveryVersionAndLanguage(t *testing.T) {
	names := cultures()
	if len(names) != len(recipe.Languages()) {
		t.Fatalf("%d cultures, %d languages", len(names), len(recipe.Languages()))
	}
	for _, v := range recipe.Versions(recipe.Windows) {
		for _, l := range recipe.Languages() {
			base := v.ID + ".iso"
			if names[l.ID] != "en" {
				base = v.ID + "_" + names[l.ID] + ".iso"
			}
			id, ok := identityOf(base)
			if !ok {
				t.Errorf("%s: not recognised", base)
				continue
			}
			again, known := recipe.FindVersion(recipe.Windows, id.version)
			language, spoken := recipe.FindLanguage(id.language)
			if !known || !spoken || again.ID != v.ID || names[language.ID] != names[l.ID] {
				t.Errorf("%s: VERSION %q, LANGUAGE %q would not give it back", base, id.version, id.language)
			}
			if got := isoName(id.version, id.language); got != base {
				t.Errorf("isoName(%q, %q) = %q, want %q", id.version, id.language, got, base)
			}
		}
	}
}

// A download that is not an ISO becomes one.
func TestISONameOfDownload(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.org/a/Win%2011.iso?x=1": "Win_11.iso",
		"http://example.org/x.esd":               "x.iso",
		"https://example.org/x.iso.7z":           "x.iso",
		"https://example.org/download":           "download.iso",
	} {
		if got := isoName(url, ""); got != want {
			t.Errorf("isoName(%q) = %q, want %q", url, got, want)
		}
	}
}

// A compose file whose disk is there and of another version would lose it.
func TestCheckStorage(t *testing.T) {
	dir := folder(t, map[string]string{"data.img": "64G", "windows.base": "win10x64.iso"})
	w := Workload{Env: []EnvVar{{Name: "VERSION", Value: "11"}}, Mounts: []Mount{{Source: dir, Target: "/storage"}}}
	notes := fmt.Sprint(w.CheckStorage())
	contains(t, notes, "windows.boot is missing\ninstalled from win10x64.iso")
	w.Env[0].Value = "win10"
	if err := os.WriteFile(filepath.Join(dir, "windows.boot"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if notes := w.CheckStorage(); len(notes) > 0 {
		t.Errorf("notes about a disk that is in order: %v", notes)
	}
	w.Mounts[0].Source = filepath.Join(dir, "none")
	if notes := w.CheckStorage(); len(notes) > 0 {
		t.Errorf("notes about a directory that is not there: %v", notes)
	}
}
