package recipe

import (
	"strings"
	"testing"
)

// Each rule once at its edge: what is still accepted, and what is not any more.
func TestRules(t *testing.T) {
	const linux = "guest='linux'\nenv.BOOT='debian'\n"
	const windows = "guest='windows'\nenv.VERSION='11'\n"
	for _, tt := range []struct {
		name   string
		recipe string
		want   string // part of the only problem; "" when it is accepted
	}{
		{"name of 40", linux + "name='" + strings.Repeat("a", 40) + "'", ""},
		{"name of 41", linux + "name='" + strings.Repeat("a", 41) + "'", "name: "},
		{"name with a hyphen at the end", linux + "name='a-'", "name: "},
		{"image by digest only", linux + "image='qemux/qemu@sha256:" + strings.Repeat("0", 64) + "'", ""},
		{"image without a tag", linux + "image='qemux/qemu'", `image: no tag; write which release: "docker.io/qemux/qemu:7.48"`},
		{"own image without a tag", linux + "image='example.org/own'", `image: no tag; write which release: "example.org/own:TAG"`},
		{"own image of a known guest", linux + "image='example.org/own:1'", ""},
		{"runtime handler", linux + "runtime_handler='kata-qemu'", ""},
		{"runtime handler in capitals", linux + "runtime_handler='Kata'", "runtime_handler: "},

		{"memory at the minimum", windows + "resources.memory='2G'", ""},
		{"memory below", windows + "resources.memory='2047M'", "resources.memory: Windows 11 Pro needs at least 2G"},
		{"disk at the minimum", windows + "resources.disk='32G'", ""},
		{"disk below", windows + "resources.disk='31G'", "resources.disk: Windows 11 Pro needs at least 32G"},
		{"a share of the host", windows + "resources={memory='half',disk='max',cpus='half'}", ""},
		{"macOS memory", "guest='macos'\nenv.VERSION='15'\nresources.memory='3G'", "resources.memory: macOS 15 Sequoia needs at least 4G"},
		{"macOS half", "guest='macos'\nenv.VERSION='15'\nresources.cpus='half'", ""},
		{"macOS 17", "guest='macos'\nenv.VERSION='15'\nresources.cpus=17", "resources.cpus: macOS does not start with 17"},
		{"Linux 17", linux + "resources.cpus=17", ""},

		{"shortest grace", linux + "lifecycle.stop_grace='30s'", ""},
		{"too short a grace", linux + "lifecycle.stop_grace='29s'", "lifecycle.stop_grace: must be at least 30s"},
		{"longest grace", linux + "lifecycle.stop_grace='24h'", ""},
		{"grace of TIMEOUT and 15", linux + "env.TIMEOUT=60\nlifecycle.stop_grace='75s'", ""},
		{"grace of TIMEOUT and 14", linux + "env.TIMEOUT=60\nlifecycle.stop_grace='74s'", "lifecycle.stop_grace: must be at least 75s, which is env.TIMEOUT (60)"},
		{"TIMEOUT alone", linux + "env.TIMEOUT=600", ""},
		{"one device, said otherwise", linux + "devices=[{path='/dev/null'},{path='/dev/zero',target='/dev//null',permissions='r'}]", "devices[1]: the same as devices[0]"},
		{"one device at two places", linux + "devices=[{path='/dev/null'},{path='/dev/null',target='/dev/zero'}]", ""},
		{"a secret of the wrong type", linux + "secrets.KEY={command=5}", "secrets.KEY.command: must be a string or an array of strings, not an integer"},
		{"TIMEOUT of nothing", linux + "env.TIMEOUT=0", `env.TIMEOUT: must be a number of seconds from 1 to 86385, not "0"`},
		{"TIMEOUT of a day less 15", linux + "env.TIMEOUT=86385", ""},
		{"TIMEOUT of a day", linux + "env.TIMEOUT=86386", `env.TIMEOUT: must be a number of seconds from 1 to 86385, not "86386"`},
		{"TIMEOUT beyond any duration", linux + "env.TIMEOUT=9300000000", `env.TIMEOUT: must be a number of seconds from 1 to 86385, not "9300000000"`},
		{"marker from Linux", linux + "lifecycle.ready='log'", "lifecycle.ready: a linux guest writes no marker"},
		{"no marker from Windows", windows + "lifecycle.ready='none'", ""},

		{"SERIAL on Linux", linux + "env.SERIAL='none'", ""},
		{"SERIAL on Windows", windows + "env.SERIAL='mon:stdio'", "env.SERIAL: must not be set"},
		{"SERIAL on demo", "guest='demo'\nenv.SERIAL='x'", "env.SERIAL: must not be set"},
		{"SHUTDOWN on", linux + "env.SHUTDOWN=true", ""},
		{"SHUTDOWN off", linux + "env.SHUTDOWN='no'", "env.SHUTDOWN: must not be off"},
		{"LAN without privilege", linux + "network='lan'\nsecurity='minimal'", `network: "lan" needs security = "privileged"`},
		{"LAN with all", linux + "network='lan'", ""},
		{"network of users", linux + "env.NETWORK='user-mode'", ""},
		{"no network", linux + "env.NETWORK=false", ""},
		{"host network", linux + "env.NETWORK='host'", `env.NETWORK: must be`},
		{"user of 20", windows + "env.USERNAME='" + strings.Repeat("ä", 20) + "'", ""},
		{"user of 21", windows + "env.USERNAME='" + strings.Repeat("ä", 21) + "'", "env.USERNAME: "},
		{"version by URL", "guest='windows'\nenv.VERSION='https://example.org/win.iso'", ""},
		{"version by file", "guest='windows'\nenv.VERSION='win.iso'", ""},
		{"version by wish", "guest='windows'\nenv.VERSION='latest'", `env.VERSION: the image does not know "latest"`},
		{"no version but media", "guest='windows'\n[[mounts]]\nsource='/x.iso'\ntarget='/custom.iso'", ""},
		{"no version but a share", "guest='windows'\n[[mounts]]\nsource='/x'\ntarget='/shared'", "env.VERSION: missing"},
		{"no version for macOS, media or not", "guest='macos'\n[[mounts]]\nsource='/x.dmg'\ntarget='/boot.dmg'", "env.VERSION: missing"},
		{"no boot but a disk", "guest='linux'\n[[mounts]]\nsource='/x.qcow2'\ntarget='/boot.qcow2'", ""},
		{"demo needs nothing", "guest='demo'", ""},

		{"VNC on this host", linux + "ports=[{guest=5900,address='127.0.0.9'},{guest=5901,address='::1'}]", ""},
		{"VNC for all", linux + "ports=[{guest=5900,address='::'}]", "ports[0].address: port 5900 never asks for a password"},
		{"one port for two protocols", linux + "ports=[{guest=7,host=7},{guest=7,host=7,protocol='udp'}]", ""},
		{"one port twice", linux + "ports=[{guest=7,name='a'},{guest=7,name='b'}]", "ports[1].guest: 7/tcp is already forwarded by ports[0] (a)"},
		{"host port twice", linux + "ports=[{guest=7,host=9},{guest=8,host=9}]", "ports[1].host: 9/tcp is already used"},
		{"host port on two addresses", linux + "ports=[{guest=7,host=9},{guest=8,host=9,address='127.0.0.2'}]", ""},
		{"host port on one and all", linux + "ports=[{guest=7,host=9},{guest=8,host=9,address='0.0.0.0'}]", "ports[1].host: 9/tcp is already used"},
		{"first of two wishes", linux + "ports=[{guest=7,host='9+'},{guest=8,host='9+'}]", ""},
		{"two of a default name", linux + "ports=[{guest=7},{guest=8,name='tcp7'}]", `ports[1].name: "tcp7" is already the name of ports[0]`},

		{"mount of the image's hook", linux + "mounts=[{source='/a.sh',target='/run/start.sh'}]", ""},
		{"mount of a device folder", linux + "mounts=[{source='/dev/bus/usb',target='/dev/bus/usb'}]", ""},
		{"mount over /run", linux + "mounts=[{source='/a',target='/run/'}]", "mounts[0].target: /run belongs to the image"},
		{"mount over everything", linux + "mounts=[{source='/a',target='/'}]", "mounts[0].target: / belongs to the image"},
		{"mount over a program", linux + "mounts=[{source='/a',target='/bin/sh'}]", "mounts[0].target: /bin/sh belongs to the image"},
		{"mount inside storage", linux + "mounts=[{source='/a',target='/storage/shared'}]", ""},
		{"second disk", linux + "env.DISK2_SIZE='10G'\nmounts=[{source='/a',target='/storage2'}]", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.recipe), "/r.toml")
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && err == nil:
				t.Errorf("accepted; want %s", tt.want)
			case tt.want != "":
				checkOnly(t, err, tt.want)
			}
		})
	}
}

// checkOnly fails unless err is one problem that contains want.
func checkOnly(t *testing.T, err error, want string) {
	t.Helper()
	problems, ok := err.(Problems)
	if !ok || len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
		t.Errorf("got %v\nwant only %s", err, want)
	}
}

func TestEnabledDisabled(t *testing.T) {
	for s, want := range map[string][2]bool{
		"Y": {true, false}, "yes": {true, false}, "1": {true, false}, "on": {true, false}, "TRUE": {true, false},
		"N": {false, true}, "no": {false, true}, "0": {false, true}, "off": {false, true}, "False": {false, true},
		"": {false, false}, "maybe": {false, false},
	} {
		if got := [2]bool{enabled(s), disabled(s)}; got != want {
			t.Errorf("%q: enabled, disabled = %v, want %v", s, got, want)
		}
	}
}

func TestOrList(t *testing.T) {
	for want, words := range map[string][]string{"": nil, `"a"`: {"a"}, `"a" or "b"`: {"a", "b"}, `"a", "b" or "c"`: {"a", "b", "c"}} {
		if got := orList(words); got != want {
			t.Errorf("orList(%v) = %s, want %s", words, got, want)
		}
	}
}
