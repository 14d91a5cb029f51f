package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"vmctl/internal/cri/critest"
	"vmctl/internal/machine/machinetest"
)

// TestWatchOnATerminal draws one table over the other, within the terminal's 24 lines of 100
// columns, and leaves the last one there.
func TestWatchOnATerminal(t *testing.T) {
	emptyHome(t)
	rt := critest.NewServer(t)
	machinetest.Run(rt)
	run := func(ctx context.Context, streams Streams, args string) int {
		return Main(ctx, append([]string{"--runtime-endpoint", rt.Endpoint()}, strings.Fields(args)...), streams)
	}
	for i := range 30 {
		name := "machine-" + string(rune('a'+i%26)) + strings.Repeat("x", i)
		if code := run(t.Context(), Streams{}, "create demo --name "+name); code != 0 {
			t.Fatal(code)
		}
	}
	for _, args := range []string{"ls --watch --every 100ms", "stats --follow --every 100ms " + "machine-a machine-bx"} {
		screen, tty := openTerminal(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan int, 1)
		go func() { done <- run(ctx, Streams{Out: tty, Err: tty}, args) }()
		for deadline := time.Now().Add(10 * time.Second); strings.Count(screen.raw(), "NAME ") < 3; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %q", args, screen.raw())
			}
		}
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("%s: exit code %d", args, code)
		}
		lines := strings.Split(strings.TrimRight(screen.text(), "\n"), "\n")
		if len(lines) > 23 || strings.Count(screen.text(), "NAME ") != 1 || strings.HasSuffix(screen.raw(), " ") || !strings.HasSuffix(screen.raw(), "\n") {
			t.Errorf("%s leaves %d lines: %q", args, len(lines), screen.text())
		}
		for _, line := range lines {
			if len(line) > 99 {
				t.Errorf("%s: a line that wraps: %q", args, line)
			}
		}
	}
}

func TestStatsTexts(t *testing.T) {
	for got, want := range map[string]string{
		cpuText(-1): "-", cpuText(0.4): "0%", cpuText(250): "250%",
		bytesText(-1): "-", bytesText(0): "0B", bytesText(1 << 30): "1GiB",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
