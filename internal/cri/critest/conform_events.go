package critest

import (
	"context"
	"slices"
	"time"

	"vmctl/internal/cri"
)

func eventTests() []conformanceTest {
	return []conformanceTest{
		{name: "of a container's life", needs: func(h Harness) bool { return h.Events }, run: testEvents},
		{name: "that the runtime does not have", needs: func(h Harness) bool { return !h.Events }, run: testNoEvents},
	}
}

func testNoEvents(b *bench) {
	b.want(b.c.Events(b.ctx, func(*cri.Event) {}), cri.ErrUnimplemented)
}

func testEvents(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	events := make(chan cri.Event, 100)
	done, asked := make(chan error, 1), make(chan struct{})
	go func() {
		done <- b.c.Events(ctx, func(e *cri.Event) {
			if e == nil {
				close(asked)
			} else if e.Labels["io.vmctl.critest"] == b.uid {
				events <- *e
			}
		})
	}()
	<-asked
	b.until("the runtime does not tell of a new sandbox", func() bool { // the request may still be under way
		_, err := b.c.RunSandbox(b.ctx, b.pod("first-"+randomID()), "")
		b.must(err)
		select {
		case <-events:
			return true
		case <-time.After(time.Second):
			return false
		}
	})
	id, _, sandbox := b.started("events", idle)
	b.must(b.c.StopContainer(b.ctx, id, 10*time.Second))
	var seen []cri.EventType
	b.until("events are missing", func() bool {
		select {
		case e := <-events:
			if e.ID == id {
				seen = append(seen, e.Type)
				if e.SandboxID != sandbox || time.Since(e.Time) > time.Minute {
					b.Errorf("event %+v, want one of sandbox %s", e, sandbox)
				}
			}
		default:
		}
		return len(seen) >= 3
	})
	if want := []cri.EventType{cri.EventCreated, cri.EventStarted, cri.EventStopped}; !slices.Equal(seen, want) {
		b.Errorf("events %v, want %v", seen, want)
	}
	cancel()
	b.want(<-done, context.Canceled)
}
