package cri

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// Size is the size of a terminal in characters.
type Size struct {
	Width  uint16
	Height uint16
}

// ExecIO is the input and output of ExecStream. A nil stream is not connected.
type ExecIO struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer // unused with TTY: a terminal has one output
	TTY    bool
	// Resize, with TTY, delivers the terminal's first size and every new one.
	Resize <-chan Size
}

// ExecStream runs cmd in a running container with live input and output, and
// returns its exit code when it has ended and all output is written. A command
// that ran and failed is not an error. When ctx ends the streams break and the
// error is ctx.Err(); the command may go on.
//
// A Read of Stdin that is under way when the command ends is abandoned: its
// goroutine ends with the next byte.
func (c *Client) ExecStream(ctx context.Context, id string, cmd []string, streams ExecIO) (int, error) {
	code, err := c.execStream(ctx, id, cmd, streams)
	if ctx.Err() != nil && err != nil {
		return -1, ctx.Err()
	}
	if err != nil {
		return -1, fmt.Errorf("exec in container %s: %w", shortID(id), err)
	}
	return code, nil
}

func (c *Client) execStream(ctx context.Context, id string, cmd []string, streams ExecIO) (int, error) {
	if streams.TTY {
		streams.Stderr = nil
	}
	if streams.Stdout == nil {
		streams.Stdout = io.Discard // CRI wants one stream at least
	}
	r, err := c.runtime.Exec(ctx, &pb.ExecRequest{
		ContainerId: id,
		Cmd:         cmd,
		Tty:         streams.TTY,
		Stdin:       streams.Stdin != nil,
		Stdout:      true,
		Stderr:      streams.Stderr != nil,
	})
	if err != nil {
		return -1, fromRPC(ctx, err)
	}
	conn, err := dialStream(ctx, r.Url, execProtocol)
	if err != nil {
		return -1, err
	}
	defer conn.abort()
	defer context.AfterFunc(ctx, conn.abort)()
	return runExec(conn, streams)
}

// execProtocol is the oldest version of the kubelet's remote command protocol
// that returns exit codes; every runtime has it (k8s.io/cri-streaming).
const execProtocol = "v4.channel.k8s.io"

// runExec opens the streams that the other side awaits, moves what they carry and
// returns the exit code.
func runExec(conn *streamConn, streams ExecIO) (int, error) {
	result, err := conn.open("error")
	if err != nil {
		return -1, err
	}
	if streams.Stdin != nil {
		stdin, err := conn.open("stdin")
		if err != nil {
			return -1, err
		}
		go pumpIn(stdin, streams.Stdin)
	}
	var outputs sync.WaitGroup
	for _, out := range []struct {
		name string
		to   io.Writer
	}{{"stdout", streams.Stdout}, {"stderr", streams.Stderr}} {
		if out.to == nil {
			continue
		}
		from, err := conn.open(out.name)
		if err != nil {
			return -1, err
		}
		outputs.Go(func() { pumpOut(out.to, from) })
	}
	if streams.TTY {
		resize, err := conn.open("resize")
		if err != nil {
			return -1, err
		}
		go pumpSizes(resize, streams.Resize, conn.CloseChan())
	}
	outputs.Wait()
	return readExit(result)
}

// pumpIn copies the input and then closes it, so that the command sees its end.
func pumpIn(to httpstream.Stream, from io.Reader) {
	_, _ = io.Copy(to, from) // a broken stream shows in the result
	_ = to.Close()
}

// pumpOut goes on reading when the caller's writer fails: unread data would hold
// up the other streams of the connection.
func pumpOut(to io.Writer, from io.Reader) {
	_, _ = io.Copy(to, from)
	_, _ = io.Copy(io.Discard, from)
}

func pumpSizes(to io.Writer, sizes <-chan Size, closed <-chan bool) {
	enc := json.NewEncoder(to)
	for {
		select {
		case s, ok := <-sizes:
			if !ok || enc.Encode(s) != nil {
				return
			}
		case <-closed:
			return
		}
	}
}

// execStatus is how the command ended, as the error stream tells it: a piece of
// Kubernetes' metav1.Status.
type execStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Details struct {
		Causes []struct {
			Type    string `json:"reason"`
			Message string `json:"message"`
		} `json:"causes"`
	} `json:"details"`
}

func readExit(result io.Reader) (int, error) {
	b, err := io.ReadAll(result)
	if err != nil || len(b) == 0 {
		return -1, fmt.Errorf("%w: connection lost", ErrUnavailable)
	}
	var s execStatus
	if err := json.Unmarshal(b, &s); err != nil {
		return -1, fmt.Errorf("read exit code from %q: %w", b, err)
	}
	if s.Status == "Success" {
		return 0, nil
	}
	for _, c := range s.Details.Causes {
		if s.Reason == "NonZeroExitCode" && c.Type == "ExitCode" {
			return strconv.Atoi(c.Message)
		}
	}
	return -1, errors.New(s.Message)
}

// open opens one stream of the connection.
func (c *streamConn) open(name string) (httpstream.Stream, error) {
	s, err := c.CreateStream(http.Header{"Streamtype": {name}})
	if err != nil {
		return nil, fmt.Errorf("open %s stream: %w", name, err)
	}
	return s, nil
}
