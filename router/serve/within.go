package serve

import (
	"context"
	"sync"
	"time"
)

// within is a context that ends with its parent, at a deadline or when its request has been answered. It has a timer only
// if somebody waits for its end: most requests are answered long before, and who asks Err needs none.
type within struct {
	context.Context
	deadline time.Time

	mu sync.Mutex
	// timed is the same with a timer, once there is one; done ends it.
	timed context.Context
	done  context.CancelFunc
}

// newWithin returns a context that end must be called for.
func newWithin(parent context.Context, deadline time.Time) *within {
	return &within{Context: parent, deadline: deadline}
}

// Deadline is when it ends at the latest.
func (w *within) Deadline() (time.Time, bool) {
	if earlier, ok := w.Context.Deadline(); ok && earlier.Before(w.deadline) {
		return earlier, true
	}
	return w.deadline, true
}

// Done is closed at its end.
func (w *within) Done() <-chan struct{} { return w.waitable().Done() }

// AfterFunc calls f after its end. Package context finds it, and needs no goroutine then for a context derived from this one.
func (w *within) AfterFunc(f func()) func() bool { return context.AfterFunc(w.waitable(), f) }

// Err says whether it has ended, and why.
func (w *within) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timed != nil {
		return w.timed.Err()
	}
	if err := w.Context.Err(); err != nil {
		return err
	}
	if time.Until(w.deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

func (w *within) waitable() context.Context {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timed == nil {
		w.timed, w.done = context.WithDeadline(w.Context, w.deadline)
	}
	return w.timed
}

// over is the context of what has been answered.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// end ends it, if nothing else has.
func (w *within) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timed == nil {
		w.timed = over
	} else if w.done != nil {
		w.done()
	}
}
