package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc/codes"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// arrangeCommand is `arrange WHAT`: it makes the next call of a method go wrong, and
// other things that `fake` does not.
//
//	METHOD fails CODE TEXT  the next call answers with a gRPC code, such as Unknown
//	METHOD stalls           the next call hangs until its caller gives up
//	METHOD vanishes         the daemon dies at the next call
//	METHOD loses-answer     the next call is done, and nobody is told
//	METHOD hangs-now        waits until the call that stalls has come
//	healed                  all calls work again
//	commands                what is executed in a container prints its words, and its
//	                        input; "fail CODE" returns CODE
//	monitor                 QEMU's monitor answers, with nothing; "said" prints what it was told
//	unused                  nobody is connected to a pod, and containers use no CPU
//	no-cri                  a containerd without CRI takes the place of the runtime
func arrangeCommand(ts *testscript.TestScript, neg bool, args []string) {
	f := ts.Value("fake").(*fake)
	switch args[0] {
	case "healed":
		f.rt.Heal()
		return
	case "commands":
		f.rt.OnExec("vm", runInContainer)
		return
	case "monitor":
		f.rt.OnExec("vm", silentMonitor())
		return
	case "unused":
		f.rt.Use(0)
		f.rt.OnExec("vm", func(critest.ExecCall) critest.ExecResult {
			return critest.ExecResult{ExecResult: cri.ExecResult{Stdout: []byte("---\n")}}
		})
		return
	case "no-cri":
		rt, err := critest.Start("", critest.WithProfile(critest.Profile{Name: "containerd", Version: "1.7.1", NoCRI: true}))
		ts.Check(err)
		ts.Defer(rt.Close)
		ts.Setenv("VMCTL_RUNTIME_ENDPOINT", rt.Endpoint())
		return
	}
	if len(args) < 2 {
		ts.Fatalf("arrange METHOD WHAT")
	}
	next := f.rt.At(args[0], 1)
	switch args[1] {
	case "fails":
		var code codes.Code
		ts.Check(code.UnmarshalJSON([]byte(args[2])))
		next.Fail(code, strings.Join(args[3:], " "))
	case "stalls":
		f.stalled = next.Stall()
	case "vanishes":
		next.Vanish()
	case "loses-answer":
		next.LoseAnswer()
	case "hangs-now":
		select {
		case <-f.stalled.Reached():
		case <-time.After(10 * time.Second):
			ts.Fatalf("%s was not called", args[0])
		}
	default:
		ts.Fatalf("arrange: unknown verb %q", args[1])
	}
}

func runInContainer(c critest.ExecCall) critest.ExecResult {
	var r critest.ExecResult
	if c.Cmd[0] == "fail" {
		_, _ = fmt.Sscan(c.Cmd[1], &r.ExitCode)
		r.Stderr = []byte("it fails\n")
		return r
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%q\n", c.Cmd)
	if c.Stdin != nil {
		_, _ = io.Copy(&out, c.Stdin)
	}
	r.ExecResult = cri.ExecResult{Stdout: out.Bytes()}
	return r
}

// silentMonitor takes what QEMU's monitor is told, and has nothing to say to it.
func silentMonitor() func(critest.ExecCall) critest.ExecResult {
	var mu sync.Mutex
	said := ""
	return func(c critest.ExecCall) critest.ExecResult {
		mu.Lock()
		defer mu.Unlock()
		if c.Cmd[0] == "said" {
			return critest.ExecResult{ExecResult: cri.ExecResult{Stdout: []byte(said)}}
		}
		out := "QEMU monitor\r\n(qemu) "
		for _, line := range c.Cmd[4:] {
			said += line + "\n"
			out += line + "\r\n(qemu) "
		}
		return critest.ExecResult{ExecResult: cri.ExecResult{Stdout: []byte(out)}}
	}
}
