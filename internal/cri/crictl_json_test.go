package cri

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fullSandbox and fullContainer have every field set, so that a round trip shows
// one that was forgotten.
func fullSandbox() SandboxConfig {
	return SandboxConfig{
		Name: "win11", Namespace: "vmctl", UID: "6f1f9a1e", Attempt: 3,
		Hostname:     "win11-6f1f9a1e",
		LogDirectory: "/home/user/.local/share/vmctl/machines/win11/logs",
		DNS:          &DNSConfig{Servers: []string{"192.0.2.1"}, Searches: []string{"example.org"}, Options: []string{"ndots:2"}},
		PortMappings: []PortMapping{
			{Protocol: TCP, ContainerPort: 8006, HostPort: 8006, HostIP: "127.0.0.1"},
			{Protocol: UDP, ContainerPort: 3389, HostPort: 3390, HostIP: "127.0.0.1"},
		},
		Labels:       map[string]string{"io.vmctl.machine": "win11"},
		Annotations:  map[string]string{"io.vmctl.ports": `[{"host":8006}]`},
		CgroupParent: "/vmctl",
		Sysctls:      map[string]string{"net.ipv4.ip_forward": "1"},
		Privileged:   true,
		PIDNamespace: NamespaceContainer,
	}
}

func fullContainer() ContainerConfig {
	return ContainerConfig{
		Name: "vm", Attempt: 3, Image: "docker.io/dockurr/windows:latest",
		Command: []string{"/usr/bin/tini", "-s"}, Args: []string{"/run/entry.sh"}, WorkingDir: "/run",
		Env:          []EnvVar{{Name: "VERSION", Value: "11"}, {Name: "PASSWORD", Value: "päss <&> \"word\""}},
		Mounts:       []Mount{{HostPath: "/srv/win11", ContainerPath: "/storage"}, {HostPath: "/srv/win.iso", ContainerPath: "/boot.iso", ReadOnly: true}},
		Devices:      []Device{{HostPath: "/dev/kvm", ContainerPath: "/dev/kvm", Permissions: "rwm"}},
		CDIDevices:   []string{"nvidia.com/gpu=0"},
		Labels:       map[string]string{"io.vmctl.machine": "win11"},
		Annotations:  map[string]string{"io.vmctl.grace": "2m15s"},
		LogPath:      "vm.log",
		Privileged:   true,
		Capabilities: []string{"NET_ADMIN"},
		Seccomp:      SeccompRuntimeDefault,
		Root:         true,
		PIDNamespace: NamespaceContainer,
		MemoryLimit:  5 << 30,
	}
}

func TestCrictlGolden(t *testing.T) {
	for name, marshal := range map[string]func() ([]byte, error){
		"pod-config.json":       fullSandbox().MarshalCrictl,
		"container-config.json": fullContainer().MarshalCrictl,
	} {
		got, err := marshal()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestCrictlRoundTrip(t *testing.T) {
	b, err := fullSandbox().MarshalCrictl()
	if err != nil {
		t.Fatal(err)
	}
	pod, err := UnmarshalCrictlSandbox(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullSandbox(), pod); diff != "" {
		t.Errorf("sandbox (-want +got):\n%s", diff)
	}
	if b, err = fullContainer().MarshalCrictl(); err != nil {
		t.Fatal(err)
	}
	ctr, err := UnmarshalCrictlContainer(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullContainer(), ctr); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
}

// The zero configs survive too, and a nil DNS stays nil: an empty one would
// empty resolv.conf.
func TestCrictlRoundTripZero(t *testing.T) {
	b, err := SandboxConfig{Name: "a"}.MarshalCrictl()
	if err != nil {
		t.Fatal(err)
	}
	if pod, err := UnmarshalCrictlSandbox(b); err != nil || pod.DNS != nil || !cmp.Equal(pod, SandboxConfig{Name: "a"}) {
		t.Errorf("sandbox %+v, %v", pod, err)
	}
	if b, err = (ContainerConfig{Name: "a"}).MarshalCrictl(); err != nil {
		t.Fatal(err)
	}
	if ctr, err := UnmarshalCrictlContainer(b); err != nil || !cmp.Equal(ctr, ContainerConfig{Name: "a"}) {
		t.Errorf("container %+v, %v", ctr, err)
	}
}

// What crictl drops in silence or refuses: camelCase keys, enums by name.
func TestCrictlDialect(t *testing.T) {
	b, err := fullSandbox().MarshalCrictl()
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(b, &tree); err != nil {
		t.Fatal(err)
	}
	if tree["log_directory"] == nil || tree["logDirectory"] != nil {
		t.Errorf("keys are not snake_case:\n%s", b)
	}
	security := tree["linux"].(map[string]any)["security_context"].(map[string]any)
	if pid := security["namespace_options"].(map[string]any)["pid"]; pid != float64(1) {
		t.Errorf("pid namespace = %v, want the number 1", pid)
	}
}

func TestUnmarshalCrictlBroken(t *testing.T) {
	for _, text := range []string{"", "[]", `{"metadata": 3}`, `{"linux":{"security_context":{"namespace_options":{"pid":"POD"}}}}`} {
		if _, err := UnmarshalCrictlSandbox([]byte(text)); err == nil {
			t.Errorf("sandbox %q was accepted", text)
		}
		if _, err := UnmarshalCrictlContainer([]byte(text)); err == nil {
			t.Errorf("container %q was accepted", text)
		}
	}
}
