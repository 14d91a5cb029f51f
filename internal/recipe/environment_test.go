package recipe

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// environment writes the container's environment one variable a line.
func environment(t *testing.T, text string) string {
	t.Helper()
	r, err := Parse([]byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range r.Environment() {
		lines = append(lines, e.Name+"="+e.Value)
	}
	return strings.Join(lines, "\n")
}

func TestEnvironment(t *testing.T) {
	for _, tt := range []struct{ name, recipe, want string }{
		{"windows says everything", `guest="windows"
env={VERSION="11", PASSWORD="x", AUDIO=true}`,
			"VERSION=11 LANGUAGE=en RAM_SIZE=4G CPU_CORES=2 DISK_SIZE=64G TIMEOUT=105 AUDIO=Y COMMAND=echo VMCTL_READY>COM1 PASSWORD=x"},
		{"own command first", `guest="windows"
env={VERSION="11", COMMAND="a.bat"}`,
			"VERSION=11 LANGUAGE=en RAM_SIZE=4G CPU_CORES=2 DISK_SIZE=64G TIMEOUT=105 COMMAND=(a.bat) & echo VMCTL_READY>COM1"},
		{"no marker where it is not read", `guest="windows"
lifecycle.ready="viewer"
env={VERSION="11", COMMAND="a.bat"}`,
			"VERSION=11 LANGUAGE=en RAM_SIZE=4G CPU_CORES=2 DISK_SIZE=64G TIMEOUT=105 COMMAND=a.bat"},
		{"installation by hand", `guest="windows"
env={VERSION="11", MANUAL=true}`,
			"VERSION=11 LANGUAGE=en RAM_SIZE=4G CPU_CORES=2 DISK_SIZE=64G TIMEOUT=105 MANUAL=Y"},
		{"legacy windows has no command", `guest="windows"
env={VERSION="98", LANGUAGE="de"}`,
			"VERSION=98 LANGUAGE=de RAM_SIZE=4G CPU_CORES=2 DISK_SIZE=64G TIMEOUT=105"},
		{"demo runs sh", `guest="demo"
env={COMMAND="true"}`,
			"VERSION=1 RAM_SIZE=256M CPU_CORES=1 DISK_SIZE=1G TIMEOUT=30 COMMAND=(true) ; echo VMCTL_READY>COM1"},
		{"linux", `guest="linux"
resources={cpus="max", memory="half", disk="max"}
lifecycle.stop_grace="5m"
env={BOOT="debian"}`,
			"BOOT=debian RAM_SIZE=half CPU_CORES=max DISK_SIZE=max TIMEOUT=285"},
		{"macOS", `guest="macos"
env={VERSION="15"}`,
			"VERSION=15 RAM_SIZE=4G CPU_CORES=1 DISK_SIZE=64G TIMEOUT=105"},
		{"own TIMEOUT", `guest="linux"
env={BOOT="debian", TIMEOUT=20}`,
			"BOOT=debian RAM_SIZE=2G CPU_CORES=2 DISK_SIZE=64G TIMEOUT=20"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := environment(t, tt.recipe)
			want := strings.Join(splitEnv(tt.want), "\n")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// splitEnv splits at the spaces before NAME=.
func splitEnv(s string) []string {
	var out []string
	for _, word := range strings.Fields(s) {
		if name, _, ok := strings.Cut(word, "="); ok && name == strings.ToUpper(name) {
			out = append(out, word)
			continue
		}
		out[len(out)-1] += " " + word
	}
	return out
}

func TestUserPorts(t *testing.T) {
	port := func(guest int, protocol string) Port { return Port{Guest: guest, Protocol: protocol} }
	for _, tt := range []struct {
		name  string
		guest Guest
		own   string
		ports []Port
		want  string
	}{
		{"none", Linux, "", nil, ""},
		{"the container's and the images' own", Linux, "", []Port{port(8006, TCP), port(5900, TCP), port(22, TCP)}, ""},
		{"windows has RDP, not SSH", Windows, "", []Port{port(3389, TCP), port(3389, UDP), port(22, TCP)}, "22"},
		{"UDP only", Linux, "", []Port{port(53, UDP)}, "53/udp"},
		{"a number alone is both", Linux, "", []Port{port(7, UDP), port(7, TCP)}, "7"},
		{"the user's come first, once", Linux, "80, 53/udp", []Port{port(80, TCP), port(53, UDP), port(443, TCP)}, "80,53/udp,443"},
		{"the user's is widened", Linux, "53/udp", []Port{port(53, TCP)}, "53"},
	} {
		r := &Recipe{Guest: tt.guest, Ports: tt.ports, Env: map[string]string{"USER_PORTS": tt.own}}
		if got := r.userPorts(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A recipe made in code may leave things open.
func TestEnvironmentOfBareRecipe(t *testing.T) {
	r := &Recipe{Guest: Demo}
	want := []EnvVar{{"RAM_SIZE", "0M"}, {"CPU_CORES", "0"}, {"DISK_SIZE", "0M"}, {"TIMEOUT", "30"}}
	if diff := cmp.Diff(want, r.Environment()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Resources have the say over the environment.
func TestEnvironmentResourcesWin(t *testing.T) {
	r := &Recipe{
		Guest: Linux, Resources: Resources{Memory: Size{Bytes: GiB}},
		Env:       map[string]string{"RAM_SIZE": "9G", "CPU_CORES": "9"},
		Lifecycle: Lifecycle{StopGrace: time.Minute},
	}
	for _, e := range r.Environment() {
		if e.Name == "RAM_SIZE" && e.Value != "1G" || e.Name == "CPU_CORES" && e.Value == "9" {
			t.Errorf("%s=%s", e.Name, e.Value)
		}
	}
	if r.Env["RAM_SIZE"] != "9G" {
		t.Error("Environment changed the recipe")
	}
}

func TestMarkedCommandOnce(t *testing.T) {
	first := markedCommand(Windows, "x")
	if again := markedCommand(Windows, first); again != first {
		t.Errorf("marked twice: %q", again)
	}
}

// The keys that stand for variables of the images.
func TestEnvironmentOfSchema(t *testing.T) {
	r, err := Parse(read(t, "testdata/valid-schema.toml"), "/r.toml")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range r.Environment() {
		got[e.Name] = e.Value
	}
	for name, want := range map[string]string{
		"NETWORK": "user", "DISPLAY": "vnc", "PROTECT": "Y", "AUDIO": "Y", "WIDTH": "2560", "HEIGHT": "1440",
		"DISK2_SIZE": "1024G", "DISK3_SIZE": "200G", "DEVICE4": "/dev/disk/by-id/usb-x",
		"ARGUMENTS": "-device x -device usb-host,vendorid=0x046d,productid=0xc52b -device usb-host,hostbus=1,hostport=2.3",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	for name := range r.Secrets {
		if value, ok := got[name]; ok {
			t.Errorf("secret %s is in the environment: %q", name, value)
		}
	}
}

func TestEnvironmentOfHabits(t *testing.T) {
	for file, want := range map[string]map[string]string{
		"valid-habits-network.toml": {"NETWORK": "slirp", "PROTECT": "Y", "DISPLAY": "disabled", "WIDTH": "1280", "HEIGHT": "720", "AUDIO": ""},
		"valid-lan.toml":            {"NETWORK": "", "DHCP": "Y", "DISPLAY": "gtk", "WIDTH": "1280", "HEIGHT": ""},
		"valid-short.toml":          {"NETWORK": "", "DHCP": "", "DISPLAY": "", "PROTECT": ""},
	} {
		r, err := Parse(read(t, "testdata/"+file), "/r.toml")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, e := range r.Environment() {
			got[e.Name] = e.Value
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s = %q, want %q", file, name, got[name], value)
			}
		}
	}
}
