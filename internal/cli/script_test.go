package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
	"vmctl/internal/machine/machinetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vmctl": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		context.AfterFunc(ctx, stop)
		code := Main(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Environ: os.Environ()})
		stop()
		os.Exit(code)
	}})
}

// TestScripts runs the terminal sessions in testdata/script: each has a fake runtime
// of its own, with the imitation of the demo image in it, and an empty home. The
// command `fake` makes things happen to that runtime; see fakeCommand.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"fake": fakeCommand, "arrange": arrangeCommand, "exit": exitCommand, "killrelays": killRelays},
		Setup: func(e *testscript.Env) error {
			rt, err := critest.Start("")
			if err != nil {
				return err
			}
			e.Defer(rt.Close)
			e.Values["fake"] = &fake{rt: rt, guest: machinetest.Run(rt)}
			home := e.WorkDir + "/home"
			if err := os.Mkdir(e.WorkDir+"/run", 0o700); err != nil {
				return err
			}
			for name, value := range map[string]string{
				"HOME": home, "XDG_DATA_HOME": home + "/data", "XDG_CONFIG_HOME": home + "/config",
				"XDG_RUNTIME_DIR":        e.WorkDir + "/run",
				"VMCTL_RUNTIME_ENDPOINT": rt.Endpoint(), "MACHINES": home + "/data/vmctl/machines",
				// A program built with -race would wait for a second before it ends.
				"GORACE": "atexit_sleep_ms=20",
			} {
				e.Setenv(name, value)
			}
			return os.WriteFile(e.WorkDir+"/demo.toml", []byte(machinetest.Recipe), 0o600)
		},
	})
}

type fake struct {
	rt    *critest.Server
	guest *machinetest.Guest
	// stalled is the call that `arrange METHOD stalls` has prepared.
	stalled *critest.Stalled
}

// fakeCommand is `fake VERB [ARG...]`:
//
//	gone, back            the daemon dies, and returns with what it had
//	reboot                the host reboots
//	no-network            the pod network breaks
//	foreign NAME          somebody else makes a sandbox of that name
//	installs-for TIME     guests started from now on take that long to install
//	installs-watched      installations last until somebody has seen them
//	ends-with CODE LINE   guests started from now on end at once
//	publish REF           an image can be pulled
//	wait-running          until a container runs
//	sandboxes N           the runtime holds N sandboxes, or the script fails
func fakeCommand(ts *testscript.TestScript, neg bool, args []string) {
	f := ts.Value("fake").(*fake)
	switch args[0] {
	case "gone":
		f.rt.Stop()
	case "back":
		ts.Check(f.rt.Restart())
	case "reboot":
		f.rt.Reboot()
	case "no-network":
		f.rt.BreakNetwork("cni plugin not initialized")
	case "foreign":
		client, err := cri.Dial(context.Background(), f.rt.Endpoint())
		ts.Check(err)
		defer client.Close()
		_, err = client.RunSandbox(context.Background(), cri.SandboxConfig{Name: args[1], Namespace: "vmctl", UID: "theirs", LogDirectory: ts.Getenv("WORK")}, "")
		ts.Check(err)
	case "installs-for":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		f.guest.InstallTime.Store(int64(d))
	case "installs-watched":
		f.guest.Watched.Store(true)
	case "ends-with":
		code, err := strconv.Atoi(args[1])
		ts.Check(err)
		f.guest.ExitCode.Store(int64(code))
		f.guest.ExitLine.Store(strings.Join(args[2:], " "))
	case "publish":
		f.rt.Publish(cri.Auth{}, args[1])
	case "republish": // another image under the tag
		f.rt.Publish(cri.Auth{}, args[1]+"-next", args[1])
	case "wait-running":
		running := func(c critest.Container) bool { return c.State == cri.ContainerRunning }
		for deadline := time.Now().Add(10 * time.Second); !slices.ContainsFunc(f.rt.Containers(), running); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				ts.Fatalf("no container runs")
			}
		}
	case "sandboxes":
		if got := fmt.Sprint(len(f.rt.Sandboxes())); got != args[1] {
			ts.Fatalf("the runtime holds %s sandboxes, want %s", got, args[1])
		}
	default:
		ts.Fatalf("fake: unknown verb %q", args[0])
	}
}

// exitCommand is `exit CODE COMMAND [ARG...]`: it runs the command, and fails the
// script if the command's exit code is another one. Use stdout and stderr after it.
func exitCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		got = -1
		var code interface{ ExitCode() int }
		if e, ok := err.(interface{ ExitCode() int }); ok {
			code = e
			got = code.ExitCode()
		}
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d (%v), want %s", got, err, args[0])
	}
}

// killRelays is `killrelays`: the processes that forward for this script's machines die;
// there must be some, or with ! none.
func killRelays(ts *testscript.TestScript, neg bool, args []string) {
	var found []int
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	ts.Check(err)
	for _, p := range processes {
		environ, _ := os.ReadFile(p)
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(p), "cmdline"))
		if !strings.Contains(string(environ), "XDG_RUNTIME_DIR="+ts.Getenv("XDG_RUNTIME_DIR")+"\x00") || !strings.Contains(string(cmdline), "\x00forwarder\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(p)))
		ts.Check(err)
		found = append(found, pid)
	}
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} { // so that none sees another die
		for _, pid := range found {
			if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				ts.Fatalf("%v", err)
			}
		}
	}
	for _, pid := range found {
		for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(state), ") Z ") {
				break // dead; whoever adopted it has not looked yet
			}
		}
	}
	if neg != (len(found) == 0) {
		ts.Fatalf("processes that forwarded: %v", found)
	}
}
