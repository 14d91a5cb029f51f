package critest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// HostProcess runs the container's command as a process of this host, so that the
// conformance suite's shell scripts mean the same to the fake as to a real
// runtime. There is no isolation: use it with commands that you wrote.
//
//	rt.OnStart("", critest.HostProcess)
func HostProcess(p *Process) int {
	argv := append(append([]string(nil), p.Container.Command...), p.Container.Args...)
	if len(argv) == 0 {
		return 127
	}
	cmd := hostCommand(argv)
	for _, e := range p.Container.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	stdout, _ := cmd.StdoutPipe()
	stderr, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		p.Log("stderr", err.Error())
		return 127
	}
	var logs sync.WaitGroup
	logs.Go(func() { logLines(p, "stdout", stdout) })
	logs.Go(func() { logLines(p, "stderr", stderr) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		logs.Wait()
		_ = cmd.Wait()
	}()
	stop := p.Stopped()
	for {
		select {
		case <-stop:
			_ = cmd.Process.Signal(syscall.SIGTERM)
			stop = nil
		case <-p.Killed():
			killGroup(cmd)
			<-done
			return 137
		case <-done:
			return exitCode(cmd)
		}
	}
}

// HostExec runs a command as a process of this host.
//
//	rt.OnExec("", critest.HostExec)
func HostExec(call ExecCall) ExecResult {
	ctx, cancel := context.WithCancel(context.Background())
	if call.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, call.Timeout)
	}
	defer cancel()
	var out, errOut bytes.Buffer
	cmd := hostCommand(call.Cmd)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = call.Stdin, call.Stdout, call.Stderr
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &errOut
	}
	// Input that never ends must not keep a command that has.
	cmd.WaitDelay = 100 * time.Millisecond
	if err := cmd.Start(); err != nil {
		var res ExecResult
		res.ExitCode, res.Stderr = 127, []byte(err.Error())
		return res
	}
	stopKill := context.AfterFunc(ctx, func() { killGroup(cmd) })
	_ = cmd.Wait()
	expired := !stopKill()
	var res ExecResult
	res.TimedOut = expired
	res.Stdout, res.Stderr, res.ExitCode = out.Bytes(), errOut.Bytes(), exitCode(cmd)
	return res
}

// hostCommand has a process group of its own, so that its children die with it,
// and almost no environment.
func hostCommand(argv []string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	return cmd
}

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// exitCode is 128 and the signal for a command that a signal ended.
func exitCode(cmd *exec.Cmd) int {
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func logLines(p *Process, stream string, from io.Reader) {
	in := bufio.NewReader(from)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			p.Log(stream, line)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				_, _ = io.Copy(io.Discard, in)
			}
			return
		}
	}
}
