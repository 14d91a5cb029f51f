package version

import (
	"runtime/debug"
	"testing"
)

func TestFromBuildInfo(t *testing.T) {
	vcs := func(kv ...string) *debug.BuildInfo {
		info := &debug.BuildInfo{}
		for i := 0; i < len(kv); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: kv[i], Value: kv[i+1]})
		}
		return info
	}
	installed := &debug.BuildInfo{Main: debug.Module{Version: "v0.3.1"}}
	for _, tc := range []struct {
		name string
		info *debug.BuildInfo
		want string
	}{
		{"nothing known", vcs(), "devel"},
		{"go install", installed, "v0.3.1"},
		{"clean checkout", vcs("vcs.revision", "0f3c2a1b9d04aabb", "vcs.modified", "false"), "0f3c2a1b9d04"},
		{"dirty checkout", vcs("vcs.revision", "0f3c2a1b9d04aabb", "vcs.modified", "true"), "0f3c2a1b9d04-dirty"},
		{"short commit", vcs("vcs.revision", "0f3c"), "0f3c"},
	} {
		if got := fromBuildInfo(tc.info); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	if String() == "" {
		t.Error("String is empty")
	}
}
