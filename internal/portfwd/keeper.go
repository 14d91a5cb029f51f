package portfwd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// A keeper is a second process beside an agent. Each holds one end of a connection, so
// that each sees the other die at once, whatever killed it: the keeper then starts the
// agent anew, which serves what the old one wrote down, and the agent starts a keeper.
// Only who kills both within a moment ends them; the next command that asks for the
// machine's forwards starts them again.

// How long a keeper waits before it starts an agent that died soon after its start.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = 10 * time.Second
	livedLong  = 10 * time.Second // an agent that lived this long starts anew at once
)

// Keep is the life of a keeper. It ends when ctx does, when the agent ended as it should,
// or when the agent has another keeper.
func (a *Agents) Keep(ctx context.Context, uid string) error {
	pause := firstPause
	for ctx.Err() == nil {
		begin := time.Now()
		err := a.keep(ctx, uid)
		if errors.Is(err, errKept) {
			return nil
		}
		state, wanted := a.wanted(uid)
		if !wanted || ctx.Err() != nil {
			return nil
		}
		if time.Since(begin) > livedLong {
			pause = firstPause
		} else {
			sleep(ctx, pause)
			pause = min(2*pause, lastPause)
		}
		if err := a.revive(ctx, uid, state.Name); err != nil {
			fmt.Fprintln(os.Stderr, time.Now().UTC().Format(time.RFC3339), "start the agent anew:", err)
		}
	}
	return nil
}

// errKept says that an agent has a keeper already.
var errKept = errors.New("there is a keeper")

// keep holds its end of the connection until the agent has closed the other.
func (a *Agents) keep(ctx context.Context, uid string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", a.path(uid, ".sock"))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := json.NewEncoder(conn).Encode(request{Verb: "keep"}); err != nil {
		return err
	}
	answers := json.NewDecoder(conn)
	var reply answer
	if err := answers.Decode(&reply); err != nil {
		return err
	}
	if reply.Error != "" {
		return errKept
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
