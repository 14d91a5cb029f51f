package recipe

import (
	"embed"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// guestData is what the images can install, as data.
//
//go:embed data/*.toml
var guestData embed.FS

// Version is an operating system that an image installs by itself.
type Version struct {
	ID       string   `toml:"id"`       // the image's own name for it, also accepted
	Title    string   `toml:"title"`    // for people
	Names    []string `toml:"names"`    // other accepted spellings; * stands for any rest
	Memory   Size     `toml:"memory"`   // least memory that the image accepts; zero if any
	Disk     Size     `toml:"disk"`     // least disk that the image accepts; zero if any
	Download string   `toml:"download"` // how much is downloaded; "" if not known
	Support  string   `toml:"support"`  // last day of security updates, "2027-01-12"; "" if not known
	Legacy   bool     `toml:"legacy"`   // too old for an unattended COMMAND
}

// Supported tells whether the system still gets security updates on a day. One whose
// end is not known does.
func (v Version) Supported(day time.Time) bool {
	return v.Support == "" || day.Format(time.DateOnly) <= v.Support
}

// Language is a display language that Windows can be installed in.
type Language struct {
	ID    string   `toml:"id" json:"value"`
	Names []string `toml:"names" json:"spellings,omitempty"` // other accepted spellings; * stands for any rest
}

// Versions returns what the guest's image installs by itself: values for VERSION,
// or for Linux for BOOT. The demo guest has none.
func Versions(g Guest) []Version {
	switch g {
	case Windows:
		return windowsVersions()
	case MacOS:
		return macOSVersions()
	case Linux:
		return linuxVersions()
	}
	return nil
}

// Languages returns the values for LANGUAGE of a Windows guest.
func Languages() []Language { return windowsLanguages() }

// Read once, when they are first needed, and never changed.
var (
	windowsVersions  = sync.OnceValue(func() []Version { return readData("windows").Version })
	macOSVersions    = sync.OnceValue(func() []Version { return readData("macos").Version })
	linuxVersions    = sync.OnceValue(func() []Version { return readData("linux").Version })
	windowsLanguages = sync.OnceValue(func() []Language { return readData("languages").Language })
)

type dataFile struct {
	Version  []Version  `toml:"version"`
	Language []Language `toml:"language"`
}

// readData returns nothing for a file that is broken; a test keeps them whole.
func readData(name string) dataFile {
	var d dataFile
	data, err := guestData.ReadFile("data/" + name + ".toml")
	if err != nil || toml.Unmarshal(data, &d) != nil {
		return dataFile{}
	}
	return d
}

// System is what the recipe's image installs, the zero value where that is not known, as
// with media of the user's own.
func (r *Recipe) System() Version {
	if r.hasMedia() {
		return Version{}
	}
	for _, name := range r.Contract().IdentityEnv {
		if v, ok := FindVersion(r.Guest, r.Env[name]); ok {
			return v
		}
	}
	return Version{}
}

// FindVersion returns what a value of VERSION, or for Linux of BOOT, means to the image,
// which reads it in lower case.
func FindVersion(g Guest, spelling string) (Version, bool) {
	spelling = strings.ToLower(strings.TrimSpace(spelling))
	for _, v := range Versions(g) {
		if v.ID == spelling || matchesAny(v.Names, spelling) {
			return v, true
		}
	}
	return Version{}, false
}

func knownLanguage(spelling string) bool {
	_, known := FindLanguage(spelling)
	return known
}

// FindLanguage looks a value for LANGUAGE up in any of its accepted spellings, as
// the Windows image does.
func FindLanguage(spelling string) (Language, bool) {
	spelling = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(spelling)), "_", "-")
	for _, l := range Languages() {
		if l.ID == spelling || matchesAny(l.Names, spelling) {
			return l, true
		}
	}
	return Language{}, false
}

func matchesAny(patterns []string, s string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, s); ok && err == nil {
			return true
		}
	}
	return false
}
