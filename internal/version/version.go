// Package version tells which vmctl this is.
//
// A release build stamps the version with
//
//	go build -ldflags "-X vmctl/internal/version.version=v0.1.0"
//
// and any other build falls back to what the Go toolchain recorded: the module
// version of a `go install`, or the commit of a checkout.
package version

import "runtime/debug"

// version is set by the linker and never written at run time.
var version string

// String returns the version, such as "v0.1.0", "0f3c2a1b9d04" or
// "0f3c2a1b9d04-dirty"; "devel" where nothing is known.
func String() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return fromBuildInfo(info)
}

func fromBuildInfo(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if commit == "" {
		return "devel"
	}
	return commit + dirty
}
