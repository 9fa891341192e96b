package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/subgraph"
)

// reopenable is a shop in this process that is opened anew when the data of a service has moved, behind a router that goes
// on: its connections stay, requests wait for a moment, and subscriptions go on in the shop that is open then.
type reopenable struct {
	// openShop opens the shop on the databases where its data is now.
	openShop func(ctx context.Context) (*shop, error)
	// moving is a context that ends with errMoved when data has moved; stop ends it. Nil if data does not move.
	moving func(ctx context.Context) (_ context.Context, stop func())
	watch  *watching

	// mu is held for reading as long as somebody is served, and for writing while the shop is exchanged.
	mu sync.RWMutex
	// shop is nil once it could not be opened.
	*shop
	// unmoved is moving's context for the shop, from before it was opened, and stop ends it.
	unmoved context.Context
	stop    func()
	// leaving ends when the shop is to be exchanged, and leave ends it.
	leaving context.Context
	leave   context.CancelFunc
	// streams are the subscriptions of this shop.
	streams sync.WaitGroup
}

// errClosed is said where there is no shop, since it could not be opened again: the process is about to end.
var errClosed = errors.New("the shop is closed")

// open opens the shop. What moves from now on is noticed.
func (r *reopenable) open(ctx context.Context) error {
	r.unmoved, r.stop = ctx, func() {}
	if r.moving != nil {
		r.unmoved, r.stop = r.moving(ctx)
	}
	s, err := r.openShop(ctx)
	if err != nil {
		r.stop()
		return err
	}
	r.take(s)
	return nil
}

// take makes a shop the one that is reached.
func (r *reopenable) take(s *shop) {
	s.watch = r.watch
	r.shop = s
	r.leaving, r.leave = context.WithCancel(context.Background())
}

// enter is the shop that is open, which stays so until the returned function is called; nil for none.
func (r *reopenable) enter() (*shop, func()) {
	r.mu.RLock()
	return r.shop, r.mu.RUnlock
}

// close closes the shop.
func (r *reopenable) close() error {
	if r.shop == nil {
		return nil
	}
	r.stop()
	return r.shop.close()
}

// run keeps the services going until ctx ends, in one shop after another.
func (r *reopenable) run(ctx context.Context, out io.Writer) error {
	for {
		running, end := context.WithCancel(r.unmoved)
		stop := context.AfterFunc(ctx, end)
		err := r.shop.run(running)
		stop()
		end()
		if !errors.Is(context.Cause(r.unmoved), errMoved) || ctx.Err() != nil {
			return err
		}
		if err != nil {
			r.log.WarnContext(ctx, "services end since data has moved", "error", err)
		}
		if err := r.exchange(ctx); err != nil {
			return err
		}
		fmt.Fprintln(out, "data has moved: the shop is open on it")
	}
}

// exchange closes the shop, whose services don't run any more, and opens it where its data is now.
func (r *reopenable) exchange(ctx context.Context) error {
	r.leave()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams.Wait()
	err := r.close()
	r.shop = nil
	if err == nil {
		err = r.open(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("open the shop where its data has moved to: %w", err)
	}
	return nil // it is open, or was to end
}

// keys are those of the users service.
func (r *reopenable) keys(ctx context.Context) (*jose.JSONWebKeySet, error) {
	s, leave := r.enter()
	defer leave()
	if s == nil {
		return nil, errClosed
	}
	return s.users.JWKS(ctx)
}

// page is a page of the shop that is open. Event streams on it end when the shop is to be exchanged.
func (r *reopenable) page(of func(s *shop) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s, leave := r.enter()
		defer leave()
		if s == nil {
			http.Error(w, errClosed.Error(), http.StatusServiceUnavailable)
			return
		}
		endingWith(r.leaving, of(s)).ServeHTTP(w, req)
	})
}

// subscribe starts a subscription and hands its events over until it ends, or ctx does: if the shop is exchanged, it is
// started again in the next one, which begins with how things stand. hand must return when its context ends.
func (r *reopenable) subscribe(ctx context.Context, name string, req *subgraph.Request, hand func(ctx context.Context, event []byte)) {
	for again := true; again && ctx.Err() == nil; {
		again = r.subscribeOnce(ctx, name, req, hand)
	}
}

// subscribeOnce reports whether the subscription ended because the shop was exchanged.
func (r *reopenable) subscribeOnce(ctx context.Context, name string, req *subgraph.Request, hand func(ctx context.Context, event []byte)) bool {
	s, leave := r.enter()
	if s == nil {
		leave()
		return false
	}
	leaving := r.leaving
	r.streams.Add(1)
	leave()
	defer r.streams.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(leaving, cancel)()
	next := s.servers[name].Subscribe(ctx, req)
	event := next()
	for ; event != nil && ctx.Err() == nil; event = next() {
		hand(ctx, event)
	}
	return ctx.Err() != nil && leaving.Err() != nil
}
