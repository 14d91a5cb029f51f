package cli

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vmctl/internal/machine"
	"vmctl/internal/portfwd"
)

// someMachine has a value in every field that is shown.
func someMachine() machine.Machine {
	local := netip.MustParseAddr("127.0.0.1")
	return machine.Machine{
		Name: "win", UID: "0b5c", Phase: machine.Installing, Reason: "why", Fix: "what to do", Guest: "windows",
		Summary: "Windows", Image: "docker.io/dockurr/windows:6.05", CPUs: "4", Memory: "8G", Disk: "64G",
		Forwards: []portfwd.Forward{
			{Name: "viewer", Address: local, HostPort: 8007, GuestPort: 8006, Protocol: portfwd.TCP},
			{Name: "rdp-udp", Address: netip.IPv4Unspecified(), HostPort: 3389, GuestPort: 3389, Protocol: portfwd.UDP},
			{Address: local, HostPort: 2222, GuestPort: 22, Protocol: portfwd.TCP},
		},
		SandboxID: "sandbox", ContainerID: "container", Address: "10.88.0.2",
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), StartedAt: time.Date(2026, 1, 2, 3, 5, 5, 0, time.UTC),
		Installed: true, Progress: "Copying", Percent: 12.5, Directory: "/m/win", Storage: "/m/win/storage", Log: "/m/win/logs/vm.log",
	}
}

// TestMachineJSON is the contract with scripts: a key may come, none may change.
func TestMachineJSON(t *testing.T) {
	const full = `{
  "name": "win",
  "uid": "0b5c",
  "phase": "Installing",
  "reason": "why",
  "fix": "what to do",
  "guest": "windows",
  "summary": "Windows",
  "image": "docker.io/dockurr/windows:6.05",
  "cpus": "4",
  "memory": "8G",
  "disk": "64G",
  "ports": [
    {
      "name": "viewer",
      "address": "127.0.0.1",
      "host": 8007,
      "guest": 8006,
      "protocol": "tcp"
    },
    {
      "name": "rdp-udp",
      "address": "0.0.0.0",
      "host": 3389,
      "guest": 3389,
      "protocol": "udp",
      "exposure": "open to other computers"
    },
    {
      "address": "127.0.0.1",
      "host": 2222,
      "guest": 22,
      "protocol": "tcp"
    }
  ],
  "viewer_url": "http://127.0.0.1:8007/",
  "sandbox_id": "sandbox",
  "container_id": "container",
  "address": "10.88.0.2",
  "created_at": "2026-01-02T03:04:05Z",
  "started_at": "2026-01-02T03:05:05Z",
  "installed": true,
  "progress": "Copying",
  "percent": 12.5,
  "directory": "/m/win",
  "storage": "/m/win/storage",
  "log": "/m/win/logs/vm.log"
}
`
	const empty = `{
  "name": "",
  "uid": "",
  "phase": "",
  "guest": "",
  "image": "",
  "ports": [],
  "created_at": "0001-01-01T00:00:00Z",
  "installed": false,
  "orphan": true
}
`
	for _, test := range []struct {
		name string
		m    machine.Machine
		want string
	}{{"full", someMachine(), full}, {"orphan", machine.Machine{Percent: -1}, empty}} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := (&terminal{Streams: Streams{Out: &out}}).printJSON(toJSON(test.m)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLsRow(t *testing.T) {
	now := someMachine().StartedAt.Add(90 * time.Minute)
	stopped := someMachine()
	stopped.Phase, stopped.Percent = machine.Stopped, -1
	orphan := machine.Machine{Name: "lost", Phase: machine.Running, Percent: -1}
	for _, test := range []struct {
		name string
		m    machine.Machine
		want []string
	}{
		{"installing", someMachine(), []string{"win", "Installing 12.5%", "windows", "4", "8G", "1h", "8007->8006 0.0.0.0:3389->3389/udp 2222->22"}},
		{"stopped", stopped, []string{"win", "Stopped", "windows", "4", "8G", "-", "-"}},
		{"orphan", orphan, []string{"lost", "Running (orphan)", "-", "-", "-", "-", "-"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lsRow(test.m, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestShowLinesTellAll(t *testing.T) {
	shown := map[string]string{}
	for _, line := range showLines(someMachine()) {
		shown[line[0]] = line[1]
	}
	for key, want := range map[string]string{
		"phase": "Installing 12.5%: Copying", "reason": "why", "fix": "what to do", "viewer": "http://127.0.0.1:8007/",
		"port rdp-udp": "0.0.0.0:3389->3389/udp; open to other computers", "port -": "2222->22", "installed": "yes", "storage": "/m/win/storage",
		"address": "10.88.0.2", "uid": "0b5c", "sandbox": "sandbox", "container": "container", "log": "/m/win/logs/vm.log",
	} {
		if shown[key] != want {
			t.Errorf("%s: %q, want %q", key, shown[key], want)
		}
	}
	stopped := someMachine()
	stopped.Phase = machine.Stopped
	for _, line := range showLines(stopped) {
		if line[0] == "viewer" {
			t.Errorf("a viewer of a stopped machine: %q", line[1])
		}
	}
}

func TestPrintStarted(t *testing.T) {
	var out bytes.Buffer
	if err := (&terminal{Streams: Streams{Out: &out}}).printStarted(someMachine()); err != nil {
		t.Fatal(err)
	}
	want := "win is installing\n  viewer     http://127.0.0.1:8007/\n  rdp-udp    0.0.0.0:3389 (udp)\n  guest 22   127.0.0.1:2222\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTableIsAligned(t *testing.T) {
	var out bytes.Buffer
	term := &terminal{Streams: Streams{Out: &out}}
	if err := term.printTable([]string{"NAME", "PHASE"}, [][]string{{"a", "Running"}, {"longer", "Stopped"}, {"empty", ""}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("NAME    PHASE\na       Running\nlonger  Stopped\nempty\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", time.Minute: "1m", 59 * time.Minute: "59m", 47 * time.Hour: "47h", 49 * time.Hour: "2d",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestPortText(t *testing.T) {
	for _, test := range []struct {
		f    portfwd.Forward
		want string
	}{
		{portfwd.Forward{Address: netip.MustParseAddr("127.0.0.1"), GuestPort: 22, Protocol: portfwd.TCP}, "any->22"},
		{portfwd.Forward{Address: netip.MustParseAddr("::1"), HostPort: 1, GuestPort: 2, Protocol: portfwd.UDP}, "1->2/udp"},
		{portfwd.Forward{Address: netip.MustParseAddr("192.0.2.1"), HostPort: 1, GuestPort: 2, Protocol: portfwd.TCP}, "192.0.2.1:1->2"},
	} {
		if got := portText(test.f); got != test.want {
			t.Errorf("portText(%v) = %q, want %q", test.f, got, test.want)
		}
	}
}
