// Command archive writes a container image archive, as `docker save` does,
// from files that are already built: no Dockerfile, daemon or registry.
//
// From one static program:
//
//	go run ./images/archive -tag localhost/vmctl-pause:1 \
//	    -binary bin/vmctl-pause=/pause -entrypoint /pause -o bin/images/pause.tar
//
// From a root file system:
//
//	go run ./images/archive -tag localhost/vmctl-demo:1 -rootfs rootfs.tar \
//	    -entrypoint /usr/bin/tini -entrypoint -s -entrypoint /run/entry.sh \
//	    -env VERSION=1 -volume /storage -expose 8006 -o bin/images/demo.tar
//
// The image is for linux/amd64. Equal input gives an equal archive: no time
// of building is in it. It does not run commands, pull a base or push.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if err != flag.ErrHelp {
			fmt.Fprintln(os.Stderr, "archive: error:", err)
		}
		os.Exit(1)
	}
}

// run parses args into a spec and writes the archive. Usage goes to stderr.
func run(args []string, stderr io.Writer) error {
	var s spec
	var out string
	flags := flag.NewFlagSet("archive", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&out, "o", "", "write the archive to `FILE`")
	flags.StringVar(&s.tag, "tag", "", "name of the image, with its tag")
	flags.StringVar(&s.rootfs, "rootfs", "", "`TAR` that becomes a layer as it is")
	flags.Var((*list)(&s.binaries), "binary", "add `SRC=DEST`, executable, owned by root; repeatable")
	flags.Var((*list)(&s.entrypoint), "entrypoint", "a `WORD` of the entry point; repeat it for each word")
	flags.Var((*list)(&s.env), "env", "`NAME=VALUE` in the environment; repeatable")
	flags.Var((*list)(&s.volumes), "volume", "`PATH` that is a volume; repeatable")
	flags.Var((*list)(&s.ports), "expose", "`PORT[/udp]` that is exposed; repeatable")
	flags.StringVar(&s.stopSignal, "stop-signal", "", "`SIGNAL` that stops the container")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if out == "" {
		return fmt.Errorf("flag -o is required")
	}
	img, err := s.image()
	if err != nil {
		return err
	}
	return write(out, s.tag, img)
}

// list is a flag that may be given many times; the order is kept.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
