// Command vmctl-pause is process 1 of a pod: it holds the pod's namespaces
// open until it is told to end, and does nothing else.
//
// It reaps processes that lose their parent, since process 1 inherits them
// in a pod that shares one PID namespace. SIGTERM and SIGINT end it with
// code 0. It has no flags, reads nothing and writes nothing.
package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	// A child may have ended before Notify: its SIGCHLD is lost, so look once.
	reap()
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		reap()
	}
}

// reap collects every child that has ended. One SIGCHLD can stand for many.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
	}
}
