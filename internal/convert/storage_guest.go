package convert

import (
	"cmp"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"vmctl/internal/recipe"
)

// unfinished warns of a disk that the image deletes at its next start (dockur/windows
// src/install.sh startInstall).
func (a *adoption) unfinished(marker string) {
	if !a.has(marker) {
		a.notes.add(a.folder, "WARNING: %s is missing, so the image would delete the disk at its next start. When the installation is complete, keep the disk: vmctl up --mark-installed",
			marker)
	}
}

// windows works out VERSION and LANGUAGE from the name of the ISO, so that the image
// computes the same name again: otherwise it moves the disk away (dockur/windows
// src/install.sh skipInstall).
func (a *adoption) windows() error {
	base, err := a.state("windows.base")
	if err != nil {
		return err
	}
	a.unfinished("windows.boot")
	version := EnvVar{Name: "VERSION", Value: "11"}
	language := ""
	id, ok := identityOf(base)
	switch {
	case base == "" || customISO.MatchString(base):
		version.Comment = "not used while the disk is there: it was installed from an ISO of your own"
		if a.size < 32*recipe.GiB {
			version.Value = "10"
		}
	case ok:
		version.Value, language = id.version, id.language
		a.ambiguous(id)
	default:
		version.Value = placeholder + url.PathEscape(base)
		version.Comment = "write the URL that it was installed from; only the name at its end counts"
		a.notes.add("windows.base", "installed from %q, which is none of the image's own versions: VERSION must end in that name, or the image moves the disk away", base)
	}
	a.env = append(a.env, version)
	if language != "" && language != "en" {
		a.env = append(a.env, EnvVar{Name: "LANGUAGE", Value: language})
	}
	release, err := a.state("windows.ver")
	if _, tag, _ := strings.Cut(path.Base(a.contractImage()), ":"); release != "" && release != tag {
		a.notes.add("windows.ver", "installed by release %s of the image; the recipe takes %s", release, tag)
	}
	return err
}

func (a *adoption) contractImage() string {
	return (&recipe.Recipe{Guest: a.guest}).Contract().DefaultImage
}

// customISO is the name that the image gives an ISO of the user's own, by its size
// (dockur/windows src/install.sh findFile).
var customISO = regexp.MustCompile(`(?i)^windows\.[0-9]+\.iso$`)

// placeholder begins a URL whose last part is all that matters: the name is reserved
// and never resolves (RFC 2606).
const placeholder = "https://example.invalid/"

// identity is what the Windows image is asked to install.
type identity struct{ version, language string }

// identityOf reads "win11x64_fr.iso".
func identityOf(base string) (identity, bool) {
	name := strings.TrimSuffix(strings.ToLower(base), ".iso")
	id := identity{language: "en"}
	if cut := strings.LastIndex(name, "_"); cut >= 0 {
		id.language = ""
		for _, l := range recipe.Languages() {
			if isoSuffix(l) == name[cut:] && (id.language == "" || len(l.ID) < len(id.language)) {
				id.language = l.ID
			}
		}
		name = name[:cut]
	}
	v, known := recipe.FindVersion(recipe.Windows, name)
	if !known || v.ID != name {
		return identity{}, false
	}
	id.version = shortest(v)
	return id, strings.EqualFold(isoName(id.version, id.language), base)
}

// shortest is the spelling of a version that people write, "11".
func shortest(v recipe.Version) string {
	for _, name := range v.Names {
		if !strings.ContainsAny(name, "* ") {
			return name
		}
	}
	return v.ID
}

// isoSuffix is what a language adds to the ISO's name: that of its culture, which for
// Norwegian is nb-NO, before the hyphen. English adds nothing (dockur/windows
// src/install.sh startInstall, src/define.sh getLanguage).
func isoSuffix(l recipe.Language) string {
	short, _, _ := strings.Cut(l.ID, "-")
	switch short {
	case "en", "":
		return ""
	case "nn":
		short = "nb"
	}
	return "_" + short
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

// isoName is the name that the Windows image computes from VERSION and LANGUAGE, its
// mark of an installation (dockur/windows src/install.sh startInstall); "" where it
// knows no such version.
func isoName(version, language string) string {
	if strings.HasPrefix(strings.ToLower(version), "http") {
		name, _, _ := strings.Cut(version, "?")
		name, _, _ = strings.Cut(name, "#")
		name = path.Base(name)
		if plain, err := url.PathUnescape(name); err == nil {
			name = plain
		}
		return isoFile(notInName.ReplaceAllString(name, "_"))
	}
	v, known := recipe.FindVersion(recipe.Windows, version)
	if !known {
		return ""
	}
	l, _ := recipe.FindLanguage(cmp.Or(language, "en"))
	return v.ID + isoSuffix(l) + ".iso"
}

// isoFile is what the image calls the ISO that comes of a download: older releases
// kept the name of the download (dockur/windows src/install.sh skipInstall).
func isoFile(download string) string {
	ext := strings.ToLower(path.Ext(download))
	if slices.Contains([]string{".esd", ".zip", ".7z", ".rar", ".gz", ".gzip", ".xz", ".bz", ".bz2", ".lzma"}, ext) {
		download = download[:len(download)-len(ext)]
	}
	if !strings.HasSuffix(strings.ToLower(download), ".iso") {
		download += ".iso"
	}
	return download
}

// ambiguous notes the languages that lead to the same name.
func (a *adoption) ambiguous(id identity) {
	suffix := isoSuffix(recipe.Language{ID: id.language})
	var same []string
	for _, l := range recipe.Languages() {
		if isoSuffix(l) == suffix {
			same = append(same, l.ID)
		}
	}
	if len(same) > 1 && suffix != "" {
		slices.Sort(same)
		a.notes.add("windows.base", "LANGUAGE may have been %s; the disk is the same to the image, and only a new installation would differ", strings.Join(same, ", "))
	}
}

// demo is the demonstration guest: demo-VERSION.img.
func (a *adoption) demo() error {
	base, err := a.state("demo.base")
	if err != nil {
		return err
	}
	a.unfinished("demo.boot")
	version, ok := strings.CutPrefix(strings.TrimSuffix(base, ".img"), "demo-")
	if ok && version != "1" {
		a.env = append(a.env, EnvVar{Name: "VERSION", Value: version})
	}
	return nil
}

// macOS lies in a folder named as VERSION was written. In that folder itself the
// image finds its base.dmg, whatever VERSION says; without it, it installs anew
// (dockur/macos src/install.sh).
func (a *adoption) macOS() {
	version := EnvVar{Name: "VERSION", Value: filepath.Base(a.folder)}
	if _, known := recipe.FindVersion(recipe.MacOS, version.Value); !known {
		version = EnvVar{Name: "VERSION", Value: "14", Comment: "not used while base.dmg is there; write what is installed"}
	}
	if !a.has("base.dmg") {
		a.notes.add(a.folder, "WARNING: base.dmg is missing, so the image would delete the disk and install anew. Put it back before the first start, or keep a copy of the disk")
	}
	a.env = append(a.env, version)
}

// linux starts from a disk that lies in the storage directory itself, whatever BOOT
// says (qemus/qemu src/install.sh).
func (a *adoption) linux() {
	name := filepath.Base(a.folder)
	boot := EnvVar{Name: "BOOT", Value: name, Comment: "not used while the disk is there"}
	if _, known := recipe.FindVersion(recipe.Linux, name); !known {
		boot.Value = placeholder + url.PathEscape(name) + ".iso"
		boot.Comment = "not used while the disk is there; write what it was installed from"
	}
	if !a.has("qemu.*") {
		a.notes.add(a.folder, "nothing but the disk tells which system this is; it is taken for one of qemus/qemu, which starts any disk")
	}
	a.env = append(a.env, boot)
}

// CheckStorage looks at the directory that a workload mounts at /storage, where it is
// on this host and has a disk, and warns of what the image would do to it. Nothing
// there is changed.
func (w Workload) CheckStorage() []Note {
	i := slices.IndexFunc(w.Mounts, func(m Mount) bool { return path.Clean(m.Target) == storageMount && !m.Volume })
	if i < 0 || diskOf(w.Mounts[i].Source) == "" {
		return nil
	}
	a, err := lookAt(w.Mounts[i].Source)
	if err != nil {
		return []Note{{w.Mounts[i].Source, err.Error()}}
	}
	var notes remarks
	for _, n := range a.notes {
		if strings.HasPrefix(n.Text, "WARNING") {
			notes = append(notes, n)
		}
	}
	base, err := a.state("windows.base")
	version, language := w.value("VERSION"), w.value("LANGUAGE")
	want := isoName(cmp.Or(version, "11"), language)
	if err == nil && base != "" && !customISO.MatchString(base) && !strings.EqualFold(want, isoFile(base)) {
		notes.add(a.folder, "WARNING: the disk was installed from %s, and VERSION = %q, LANGUAGE = %q ask for %s: the image would move the disk away and install anew",
			base, version, language, cmp.Or(want, "something else"))
	}
	return notes
}

func (w Workload) value(name string) string {
	for _, e := range w.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}
