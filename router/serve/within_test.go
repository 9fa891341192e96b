package serve

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAContextWithinATimeEndsAsOneWithATimerDoes(t *testing.T) {
	type maker func(context.Context) (context.Context, func())
	makers := map[string]maker{
		"context.WithTimeout": func(parent context.Context) (context.Context, func()) {
			return context.WithTimeout(parent, time.Minute)
		},
		"within": func(parent context.Context) (context.Context, func()) {
			w := newWithin(parent, time.Now().Add(time.Minute))
			return w, w.end
		},
	}
	for name, begin := range makers {
		for _, waited := range []bool{false, true} {
			for reason, test := range map[string]struct {
				end  func(cancel, end func())
				want error
			}{
				"the parent is canceled":  {func(cancel, _ func()) { cancel() }, context.Canceled},
				"the request is answered": {func(_, end func()) { end() }, context.Canceled},
				"the time is over":        {func(_, _ func()) { time.Sleep(time.Minute) }, context.DeadlineExceeded},
			} {
				synctest.Test(t, func(t *testing.T) {
					parent, cancel := context.WithCancel(context.Background())
					defer cancel()
					ctx, end := begin(parent)
					defer end()
					deadline, ok := ctx.Deadline()
					if !ok || !deadline.Equal(time.Now().Add(time.Minute)) || ctx.Err() != nil {
						t.Errorf("%s: at the beginning: deadline %v, %v; %v", name, deadline, ok, ctx.Err())
					}
					if waited {
						select {
						case <-ctx.Done():
							t.Errorf("%s: done at the beginning", name)
						default:
						}
					}
					test.end(cancel, end)
					synctest.Wait()
					if !errors.Is(ctx.Err(), test.want) || !errors.Is(context.Cause(ctx), test.want) {
						t.Errorf("%s, waited %v, %s: %v, cause %v, want %v", name, waited, reason, ctx.Err(), context.Cause(ctx), test.want)
					}
					<-ctx.Done()
				})
			}
		}
	}
}

func TestAContextDerivedFromOneWithinATimeEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWithin(t.Context(), time.Now().Add(time.Minute))
		defer w.end()
		derived, cancel := context.WithTimeout(w, time.Hour)
		defer cancel()
		<-derived.Done()
		if !errors.Is(derived.Err(), context.DeadlineExceeded) {
			t.Error(derived.Err())
		}
		late, cancel := context.WithCancel(w)
		defer cancel()
		if late.Err() == nil {
			t.Error("a context derived after the end goes on")
		}
	})
}
