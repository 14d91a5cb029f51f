package containerd

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// settings decide the daemon's configuration.
type settings struct {
	paths         paths
	gid           int
	pauseImage    string
	pluginDir     string
	runc          string
	snapshotter   string // overlayfs or native
	systemdCgroup bool
	lan           bool // there is a network for the handler LANHandler
	// restrictOOM is for hosts where even root lacks CAP_SYS_RESOURCE: a sandbox
	// asks for oom_score_adj -998, and runc dies of being refused with no more to say
	// than "can't get final child's PID from pipe: EOF".
	restrictOOM bool
}

// render writes the configuration in version 2, the one version that containerd
// 1.6 and 1.7 read and 2.x migrates when it starts. 1.6.20 would accept a version 3
// and ignore the sections it does not know.
func (s settings) render() (string, error) {
	funcs := template.FuncMap{"q": strconv.Quote}
	t, err := template.New("config").Funcs(funcs).Parse(strings.TrimLeft(configTemplate, "\n"))
	if err != nil {
		return "", fmt.Errorf("parse configuration template: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, s.values()); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return out.String(), nil
}

func (s settings) values() map[string]any {
	p := s.paths
	return map[string]any{
		"Root": p.containerd, "State": p.daemon, "Socket": p.socket, "TTRPC": p.ttrpc, "Debug": p.debug,
		"GID": s.gid, "Opt": p.opt, "ConfDir": p.cniConf, "RuncRoot": p.runc, "Runc": s.runc,
		"Pause": s.pauseImage, "Plugins": s.pluginDir, "Snapshotter": s.snapshotter,
		"Runtimes": s.runtimes(), "SystemdCgroup": s.systemdCgroup, "RestrictOOM": s.restrictOOM, "Mirrors": mirrorDirs,
	}
}

// handler is a runtime handler, with a network of its own unless ConfDir is "".
type handler struct{ Handler, ConfDir string }

func (s settings) runtimes() []handler {
	out := []handler{{Handler: "runc"}}
	if s.lan {
		out = append(out, handler{LANHandler, filepath.Dir(s.paths.lanNetwork)})
	}
	return out
}

// mirrorDirs are where the host's administrator says which registries have
// mirrors: ours, then those of the system's containerd (containerd:
// docs/hosts.md).
const mirrorDirs = "/etc/vmctl/certs.d:/etc/containerd/certs.d"

// configTemplate leaves out what is right by default. Sources of the rest:
//
//   - ttrpc and debug: not derived from the main socket in every release
//   - opt: else the daemon writes to /opt/containerd
//   - nri: two daemons of 2.x would fight for one socket
//   - netns_mounts_under_state_dir: so that what is ours can be told
//   - runc's Root: else shared by all daemons, in /run/containerd/runc
const configTemplate = `
# Written by vmctl at each start of this private runtime. Edits are lost.
version = 2
root = {{q .Root}}
state = {{q .State}}

[grpc]
  address = {{q .Socket}}
  gid = {{.GID}}

[ttrpc]
  address = {{q .TTRPC}}
  gid = {{.GID}}

[debug]
  address = {{q .Debug}}
  level = "info"

[metrics]
  address = ""

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {{q .Pause}}
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = {{.RestrictOOM}}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {{q .Plugins}}
    conf_dir = {{q .ConfDir}}
    max_conf_num = 1

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = {{q .Snapshotter}}
    default_runtime_name = "runc"

{{- range .Runtimes}}

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{{.Handler}}]
      runtime_type = "io.containerd.runc.v2"
{{- if .ConfDir}}
      cni_conf_dir = {{q .ConfDir}}
      cni_max_conf_num = 1
{{- end}}

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{{.Handler}}.options]
        BinaryName = {{q $.Runc}}
        Root = {{q $.RuncRoot}}
        SystemdCgroup = {{$.SystemdCgroup}}
{{- end}}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = {{q .Mirrors}}

[plugins."io.containerd.internal.v1.opt"]
  path = {{q .Opt}}

[plugins."io.containerd.nri.v1.nri"]
  disable = true
`
