package containerd

import (
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func someSettings() settings {
	return settings{
		paths: pathsOf("lab"), gid: 27, pauseImage: PauseImage, pluginDir: "/usr/lib/cni",
		runc: "/usr/sbin/runc", snapshotter: "overlayfs",
	}
}

func TestConfigRender(t *testing.T) {
	got, err := someSettings().render()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/containerd.toml", got)

	odd := someSettings()
	odd.paths, odd.gid = pathsOf(DefaultName), 0
	odd.pauseImage, odd.snapshotter = publicPauseImage, "native"
	odd.systemdCgroup, odd.restrictOOM = true, true
	odd.pluginDir = "/opt/cni/bin"
	if got, err = odd.render(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/containerd-odd.toml", got)
}

// The configuration has to be TOML whatever is in it, and the paths in it have to be
// those of the instance and of nobody else.
func TestConfigIsTOML(t *testing.T) {
	s := someSettings()
	s.runc = `/opt/my "tools"\runc`
	text, err := s.render()
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Version     int `toml:"version"`
		Root, State string
		GRPC        struct {
			Address string
			GID     int
		}
		TTRPC, Debug struct{ Address string }
		Plugins      map[string]map[string]any
	}
	if err := toml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	if config.Version != 2 {
		t.Errorf("version %d, want 2: the one that 1.6 to 2.x read", config.Version)
	}
	if config.GRPC.Address != s.paths.socket || config.GRPC.GID != 27 {
		t.Errorf("socket %+v", config.GRPC)
	}
	seen := map[string]bool{"/run/containerd": true, "/var/lib/containerd": true, "/run/containerd/containerd.sock.ttrpc": true}
	for _, path := range []string{config.Root, config.State, config.GRPC.Address, config.TTRPC.Address, config.Debug.Address} {
		if path == "" || seen[path] {
			t.Errorf("path %q is empty, twice there, or the system's", path)
		}
		seen[path] = true
	}
	cri := config.Plugins["io.containerd.grpc.v1.cri"]
	runtimes := cri["containerd"].(map[string]any)["runtimes"].(map[string]any)
	options := runtimes["runc"].(map[string]any)["options"].(map[string]any)
	if options["BinaryName"] != s.runc {
		t.Errorf("runc is %q, want %q", options["BinaryName"], s.runc)
	}
	if config.Plugins["io.containerd.nri.v1.nri"]["disable"] != true {
		t.Error("NRI is not off")
	}
}
