package gui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// background is everything that runs beside the UI thread. No other file of this
// package starts a goroutine, and none goes back to the UI thread but through
// here; so whatever is not in this file needs no lock.
type background struct {
	ctx     context.Context // ends when the window closes
	cancel  context.CancelFunc
	do      func(func()) // runs a function on the UI thread, soon
	running sync.WaitGroup
}

// newBackground goes back to the UI thread by do; nil is fyne.Do.
func newBackground(do func(func())) *background {
	if do == nil {
		do = fyne.Do
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &background{ctx: ctx, cancel: cancel, do: do}
}

// close cancels all that runs. What comes back after that is thrown away.
func (b *background) close() { b.cancel() }

// wait returns, after close, when all has ended, or when limit has passed: what was
// broken off may have things to put right, but a program must end.
func (b *background) wait(limit time.Duration) {
	ended := make(chan struct{})
	go func() {
		b.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(limit):
	}
}

// ui runs f on the UI thread, unless the window is closed by then.
func (b *background) ui(f func()) {
	if b.ctx.Err() != nil {
		return
	}
	b.do(func() {
		if b.ctx.Err() == nil {
			f()
		}
	})
}

// until cancels everything as soon as ctx ends, and then calls quit on the UI
// thread: that is how a signal closes the window.
func (b *background) until(ctx context.Context, quit func()) {
	b.running.Go(func() {
		select {
		case <-ctx.Done():
			b.ui(quit)
		case <-b.ctx.Done():
		}
	})
}

// ask runs work beside the UI thread and hands what it returns to answer, on it.
// The returned function cancels work, which then still answers.
func ask[T any](b *background, work func(context.Context) (T, error), answer func(T, error)) (cancel func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	b.running.Go(func() {
		defer cancel()
		value, err := work(ctx)
		b.ui(func() { answer(value, err) })
	})
	return cancel
}

// poll calls look at once, then again and again after the pause that pause tells,
// or sooner when wake is sent to. look is done before the next one begins.
func (b *background) poll(pause func() time.Duration, wake <-chan struct{}, look func(context.Context)) {
	b.running.Go(func() {
		for b.ctx.Err() == nil {
			look(b.ctx)
			select {
			case <-b.ctx.Done():
			case <-wake:
			case <-time.After(pause()):
			}
		}
	})
}

// mailbox carries values from any goroutine to the UI thread, in order. What comes
// faster than the UI thread looks is handed over together, so a thousand log lines
// cost one redraw.
type mailbox[T any] struct {
	b       *background
	deliver func([]T)

	mu      sync.Mutex
	pending []T
}

func newMailbox[T any](b *background, deliver func([]T)) *mailbox[T] {
	return &mailbox[T]{b: b, deliver: deliver}
}

// put may be called from any goroutine and never waits for the UI thread.
func (m *mailbox[T]) put(value T) {
	m.mu.Lock()
	m.pending = append(m.pending, value)
	first := len(m.pending) == 1
	m.mu.Unlock()
	if first {
		m.b.ui(m.empty)
	}
}

func (m *mailbox[T]) empty() {
	m.mu.Lock()
	values := m.pending
	m.pending = nil
	m.mu.Unlock()
	m.deliver(values)
}
