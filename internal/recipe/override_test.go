package recipe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func windowsRecipe(t *testing.T) *Recipe {
	t.Helper()
	r, err := Parse([]byte(`guest="windows"
env={VERSION="11"}
[[ports]]
name="viewer"
guest=8006
host="8006+"
[[mounts]]
source="/old"
target="/shared"
`), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestApply(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("share", 0o700); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	viewer := Port{"viewer", 8006, HostPort{8006, HostPortFrom}, TCP, Loopback, "auto"}
	for _, tt := range []struct {
		name      string
		overrides []string
		want      func(r *Recipe)
	}{
		{"nothing", nil, func(*Recipe) {}},
		{"short forms", []string{"cpus=max", "memory=16G", "disk=100G", "env=USERNAME=anna"}, func(r *Recipe) {
			r.Resources = Resources{CPUs{Word: "max"}, Size{Bytes: 16 * GiB}, Size{Bytes: 100 * GiB}}
			r.Env["USERNAME"] = "anna"
		}},
		{"keys", []string{"resources.cpus=8", "env.VERSION=10", "lifecycle.stop_grace=3m", "name=box", "security=minimal", "storage.path=/srv"}, func(r *Recipe) {
			r.Resources.CPUs = CPUs{Count: 8}
			r.Env["VERSION"] = "10"
			r.Lifecycle.StopGrace = 3 * time.Minute
			r.Name, r.Security, r.Storage.Path = "box", SecurityMinimal, "/srv"
		}},
		{"the last wins", []string{"cpus=1", "cpus=2", "cpus=3"}, func(r *Recipe) { r.Resources.CPUs = CPUs{Count: 3} }},
		{"the images' names for resources", []string{"env=RAM_SIZE=3G", "env.CPU_CORES=6", "env=DISK_SIZE=40G"}, func(r *Recipe) {
			r.Resources = Resources{CPUs{Count: 6}, Size{Bytes: 3 * GiB}, Size{Bytes: 40 * GiB}}
		}},
		{"a value with an equals sign", []string{"env=COMMAND=set A=1"}, func(r *Recipe) { r.Env["COMMAND"] = "set A=1" }},
		{"new ports", []string{"port=8080:80", "port=5353+:53/udp", "port=0.0.0.0:any:443", "port=[::1]:9000:9000"}, func(r *Recipe) {
			r.Ports = []Port{
				viewer,
				{"tcp80", 80, HostPort{8080, HostPortExact}, TCP, Loopback, "auto"},
				{"udp53", 53, HostPort{5353, HostPortFrom}, UDP, Loopback, "auto"},
				{"tcp443", 443, HostPort{}, TCP, "0.0.0.0", "auto"},
				{"tcp9000", 9000, HostPort{9000, HostPortExact}, TCP, "::1", "auto"},
			}
		}},
		{"a known port moves", []string{"port=9006:8006"}, func(r *Recipe) {
			r.Ports = []Port{{"viewer", 8006, HostPort{9006, HostPortExact}, TCP, Loopback, "auto"}}
		}},
		{"fields of a port", []string{"ports.viewer.host=any", "ports.ssh.guest=22", "ports.ssh.host=2222"}, func(r *Recipe) {
			r.Ports[0].Host = HostPort{}
			r.Ports = append(r.Ports, Port{"ssh", 22, HostPort{2222, HostPortExact}, TCP, Loopback, "auto"})
		}},
		{"mounts", []string{"mount=share:/oem:ro", "mount=" + dir + ":/shared"}, func(r *Recipe) {
			r.Mounts = []Mount{{dir, "/shared", false}, {filepath.Join(dir, "share"), "/oem", true}}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, want := windowsRecipe(t), windowsRecipe(t)
			if err := got.Apply(tt.overrides); err != nil {
				t.Fatal(err)
			}
			tt.want(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkRoundTrip(t, got)
		})
	}
}

func TestApplyErrors(t *testing.T) {
	for _, tt := range []struct {
		overrides []string
		want      string
	}{
		{[]string{"cpus"}, "command line: cpus: no value; write KEY=VALUE"},
		{[]string{"resources.memroy=1G"}, `command line: resources.memroy: unknown key; did you mean "memory"?`},
		{[]string{"memory=lots", "cpus=0"}, `command line: resources.memory: not a size: "lots"; write one such as "8G", "512M", "half" or "max"
command line: resources.cpus: must be from 1 to 4096, not 0`},
		{[]string{"memory=1G"}, "command line: resources.memory: Windows 11 Pro needs at least 2G, not 1G"},
		{[]string{"env=NAME"}, `command line: env: no value in "NAME"; write NAME=VALUE`},
		{[]string{"env.SERIAL=none"}, "command line: env.SERIAL: must not be set: the image sees on the serial port that the guest has started, and deletes a disk that never did"},
		{[]string{"env=RAM_SIZE=big"}, `command line: env.RAM_SIZE: not a size: "big"; write one such as "8G", "512M", "half" or "max"; better write resources.memory`},
		{[]string{"port=80"}, `command line: port: "80"; write HOST:GUEST, such as 8080:80, 8080+:80 or any:53/udp`},
		{[]string{"port=80:0"}, "command line: port: port must be from 1 to 65535, not 0"},
		{[]string{"port=x:80"}, `command line: port: not a port: "x"; write 8006, "8006+" (or the next free one) or "any"`},
		{[]string{"ports.dns.guest=53", "ports.dns.protocol=udp", "ports.dns.via=stream"}, `command line: ports[1].via: stream carries no UDP; write "relay" or "auto"`},
		{[]string{"port=80:80/sctp"}, `command line: port: must be "tcp" or "udp", not "sctp"`},
		{[]string{"port=host:80:80"}, `command line: port: not an IP address: "host"; write one of this host, such as "127.0.0.1"`},
		{[]string{"ports.viewer=80"}, "command line: ports.viewer: write ports.NAME.KEY, such as ports.viewer.host"},
		{[]string{"ports.viewer.hots=80"}, `command line: ports.viewer.hots: unknown key; did you mean "host"?`},
		{[]string{"mount=/a"}, `command line: mount: "/a"; write SOURCE:TARGET or SOURCE:TARGET:ro`},
		{[]string{"mount=/a:/b:rx"}, `command line: mount: "/a:/b:rx"; write SOURCE:TARGET or SOURCE:TARGET:ro`},
		{[]string{"mount=/nowhere/at/all:/oem"}, "command line: mount: /nowhere/at/all does not exist"},
		{[]string{"storage.path=disks"}, `command line: storage.path: must be an absolute path, or one that begins with ~, not "disks"`},
		{[]string{"ports=80"}, "command line: ports: must be an array of tables, not a string"},
		{[]string{"port=80", "port=x:80"}, `command line: port: "80"; write HOST:GUEST, such as 8080:80, 8080+:80 or any:53/udp
command line: port: not a port: "x"; write 8006, "8006+" (or the next free one) or "any"`},
		{[]string{"viewer.audio=maybe"}, `command line: viewer.audio: must be true or false, not "maybe"`},
		{[]string{"devices.usb=1-2"}, "command line: devices.usb: cannot be set here; write [[devices]] in a recipe"},
		{[]string{"extends=demo"}, "command line: extends: cannot be set here; write it in a recipe"},
		{[]string{"resources=80"}, "command line: resources: must be a table, not a string"},
	} {
		t.Run(strings.Join(tt.overrides, " "), func(t *testing.T) {
			r := windowsRecipe(t)
			err := r.Apply(tt.overrides)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Apply = %v\nwant %s", err, tt.want)
			}
			if diff := cmp.Diff(windowsRecipe(t), r); diff != "" {
				t.Errorf("the recipe changed:\n%s", diff)
			}
		})
	}
}

func TestSetField(t *testing.T) {
	r := windowsRecipe(t)
	if err := SetField(r, "resources.memory", "6G"); err != nil || r.Resources.Memory.String() != "6G" {
		t.Errorf("SetField: %v, %v", r.Resources.Memory, err)
	}
	if err := SetField(r, "nothing", "6G"); err == nil {
		t.Error("SetField of an unknown key is no error")
	}
}
