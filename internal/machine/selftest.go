package machine

import (
	"context"
	"fmt"
	"sync"

	"vmctl/internal/hint"
	"vmctl/internal/portfwd"
)

// selfTest looks why the viewer's host port is silent. If the sandbox itself answers,
// the mapping is at fault: then the guest is watched there, and what is wrong is told
// now and, as the error of the wait, at its end.
func (w *watch) selfTest(ctx context.Context) {
	mc := Machine{Forwards: w.forwards}
	f, ok := mc.Forward(viewerPort, portfwd.TCP)
	if !ok || w.address == "" {
		return
	}
	if result := portfwd.Test(ctx, f, w.address); result.State == portfwd.Broken && !w.relayInstead(ctx, f, result.Detail) {
		w.base = viewerBase(nil, w.address)
		w.report.note(listening(f) + " does not answer: " + result.Detail + "; meanwhile the viewer is at " + w.base)
	}
}

// testForwards tries each port once the guest is up. A guest that does not listen yet is
// no fault of the forward; of UDP too little can be told to make it an error.
func (w *watch) testForwards(ctx context.Context) error {
	results := make([]portfwd.Result, len(w.forwards))
	var wg sync.WaitGroup
	for i, f := range w.forwards {
		wg.Go(func() { results[i] = portfwd.Test(ctx, f, w.address) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, result := range results {
		if result.State != portfwd.Broken || w.relayInstead(ctx, w.forwards[i], result.Detail) {
			continue
		}
		if w.forwards[i].Protocol == portfwd.UDP {
			w.report.note(listening(w.forwards[i]) + ": " + result.Detail)
		} else {
			return hint.With(fmt.Errorf("%w: %s: %s", ErrForward, listening(w.forwards[i]), result.Detail), "%s", result.Hint)
		}
	}
	return nil
}
