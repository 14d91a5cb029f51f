// Command vmctl makes and runs Windows, macOS and Linux virtual machines in pods
// of a container runtime. `vmctl help` lists what it can do.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"vmctl/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Environ: os.Environ()})
	stop()
	os.Exit(code)
}
