package demo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMemory(t *testing.T) {
	tests := []struct{ size, want string }{
		{"256M", "256\n"}, {"2", "2048\n"}, {"512", "512\n"}, {"half", "1952\n"}, {"max", "3904\n"},
		{"8G", "Warning: your configured RAM_SIZE of 8 GB is too high for the 3.9 GB of memory available, it will be lowered.\n3904\n"},
		{"64M", "ERROR: Demo requires at least 128 MB of RAM, but it can have only 64 MB.\n"},
		{"lots", "ERROR: Invalid value for RAM_SIZE: lots\n"},
	}
	for _, tt := range tests {
		got, code := run(t, t.TempDir(), `memory_limit() { echo $((4000 << 20)); }; set_memory; echo $RAM_SIZE`, "RAM_SIZE="+tt.size)
		want := 0
		if strings.HasPrefix(tt.want, "ERROR") {
			want = 16
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || code != want {
			t.Errorf("RAM_SIZE=%s: exit code %d, output (-want +got):\n%s", tt.size, code, diff)
		}
	}
}

func TestSerialLinesAreCleanAndRemembered(t *testing.T) {
	const script = `printf '\033[2J\033[01;33mBdsDxe: starting Boot0001 "UEFI QEMU DVD-ROM" from PciRoot(0)\033[0m\r\nhello\r\n` +
		`BdsDxe: starting Boot0002 "Demo Boot Manager" from HD(1)\nno newline' | watch_serial; cat "$SHM/qemu.boot"`
	got, _ := run(t, t.TempDir(), script)
	want := "BdsDxe: starting Boot0001 \"UEFI QEMU DVD-ROM\" from PciRoot(0)\nhello\n" +
		"BdsDxe: starting Boot0002 \"Demo Boot Manager\" from HD(1)\nno newline\ndisk\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestCountdown(t *testing.T) {
	tests := map[string]struct {
		timeout, started string
		term, limit      int // seconds
	}{
		"as long as Windows": {"105", "disk", 95, 100},
		"default":            {"30", "disk", 20, 25},
		"as short as Linux":  {"13", "disk", 7, 10},
		"still installing":   {"105", "media", 7, 10},
		"no time at all":     {"1", "disk", 1, 4},
	}
	// A machine that never ends, whatever is sent to it.
	const deaf = `echo "$STARTED" > "$SHM/qemu.boot"
		QEMU_PID=none
		running() { true; }
		kill() { echo "kill $*"; }
		nc() { command cat >> "$SHM/pressed"; }
		wait() { true; }
		power_off
		builtin wait
		echo "pressed $(wc -l < "$SHM/pressed") times"`
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := run(t, t.TempDir(), deaf, "TIMEOUT="+tt.timeout, "STARTED="+tt.started)
			if diff := cmp.Diff(countdown(tt.term, tt.limit), got); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// countdown is the log of a shutdown that nothing reacts to.
func countdown(term, limit int) string {
	var b strings.Builder
	for n := 1; n < limit; n++ {
		if n != term {
			fmt.Fprintf(&b, "Waiting for Demo to shut down... (%d/%d)\n", n, limit)
			continue
		}
		fmt.Fprintf(&b, "Warning: QEMU is still running, sending SIGTERM... (%d/%d)\nkill -TERM none\n", n, limit)
	}
	fmt.Fprintf(&b, "Warning: QEMU is still running, sending SIGKILL... (%d/%d)\nkill -KILL none\n", limit, limit)
	fmt.Fprintf(&b, "pressed %d times\n", term)
	return b.String()
}

// ending runs until the machine ends in the way of the script that follows.
const ending = `unset -f sleep
	stop_web() { echo "web stopped"; }
	stop_nat() { echo "nat stopped"; }
	stop_lan() { echo "lan stopped"; }
	echo disk > "$SHM/qemu.boot"
	true &
	SERIAL_PID=$!
	command sleep 60 &
	QEMU_PID=$!
	catch_signals
`

func TestEndings(t *testing.T) {
	const stopped = "nat stopped\nlan stopped\nweb stopped\n"
	tests := map[string]struct {
		script, want string
		code         int
	}{
		"signal": {
			`nc() { command cat > /dev/null; command kill "$QEMU_PID"; }
			(sleep 0.2; kill -TERM $$) &
			wait_machine`,
			"Received SIGTERM signal, sending ACPI shutdown signal...\n" + stopped + "Shutdown completed!\n", 143,
		},
		"signal, SHUTDOWN=N": {`SHUTDOWN=N; (sleep 0.2; kill -TERM $$) & wait_machine`, "", 0},
		"guest switched off": {`kill "$QEMU_PID"; true & QEMU_PID=$!; wait_machine`, stopped + "Shutdown completed!\n", 0},
		"killed":             {`kill -KILL "$QEMU_PID"; wait_machine`, "ERROR: QEMU exited unexpectedly!\n" + stopped, 137},
		"bad argument":       {`kill "$QEMU_PID"; false & QEMU_PID=$!; wait_machine`, "ERROR: QEMU exited unexpectedly!\n" + stopped, 1},
	}
	for name, tt := range tests {
		for _, marker := range []string{"", "touch \"$STATE.boot\"\n"} {
			t.Run(name+" "+marker, func(t *testing.T) {
				dir := t.TempDir()
				got, code := run(t, dir, marker+ending+tt.script)
				if diff := cmp.Diff(tt.want, got); diff != "" || code != tt.code {
					t.Errorf("exit code %d, want %d, log (-want +got):\n%s", code, tt.code, diff)
				}
				wantMarker := marker != "" || tt.want != ""
				if has := len(files(t, dir)) == 1; has != wantMarker {
					t.Errorf("marker is there: %v, want %v", has, wantMarker)
				}
			})
		}
	}
}
