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
	// open opens the shop on the databases where its data is now.
	open func(ctx context.Context) (*shop, error)
	// moving is a context that ends with errMoved when data has moved; stop ends it. Nil if data does not move.
	moving func(ctx context.Context) (_ context.Context, stop func())

	// mu is held for reading as long as somebody is served, and for writing while the shop is exchanged.
	mu sync.RWMutex
	*shop
	// leaving ends when the shop is to be exchanged, and leave ends it.
	leaving context.Context
	leave   context.CancelFunc
	// streams are the subscriptions of this shop.
	streams sync.WaitGroup
}

// take makes a shop the one that is reached.
func (r *reopenable) take(s *shop) {
	r.shop = s
	r.leaving, r.leave = context.WithCancel(context.Background())
}

// enter is the shop that is open, which stays so until the returned function is called.
func (r *reopenable) enter() (*shop, func()) {
	r.mu.RLock()
	return r.shop, r.mu.RUnlock
}

// run keeps the services going until ctx ends, in one shop after another.
func (r *reopenable) run(ctx context.Context, out io.Writer) error {
	if r.moving == nil {
		return r.shop.run(ctx)
	}
	for {
		running, stop := r.moving(ctx)
		err := r.shop.run(running)
		moved := errors.Is(context.Cause(running), errMoved)
		stop()
		if err != nil || !moved {
			return err
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
	watch := r.watch
	if err := r.shop.close(); err != nil {
		return err
	}
	r.shop = &shop{} // it is closed
	next, err := r.open(ctx)
	if err != nil {
		return fmt.Errorf("open the shop where its data has moved to: %w", err)
	}
	next.watch = watch
	r.take(next)
	return nil
}

// keys are those of the users service.
func (r *reopenable) keys(ctx context.Context) (*jose.JSONWebKeySet, error) {
	s, leave := r.enter()
	defer leave()
	return s.users.JWKS(ctx)
}

// page is a page of the shop that is open. Event streams on it end when the shop is to be exchanged.
func (r *reopenable) page(of func(s *shop) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s, leave := r.enter()
		defer leave()
		endingWith(r.leaving, of(s)).ServeHTTP(w, req)
	})
}

// subscribe starts a subscription and hands its events over until it ends, or ctx does: if the shop is exchanged, it is
// started again in the next one.
func (r *reopenable) subscribe(ctx context.Context, name string, req *subgraph.Request, hand func(event []byte)) {
	for again := true; again && ctx.Err() == nil; {
		again = r.subscribeOnce(ctx, name, req, hand)
	}
}

// subscribeOnce reports whether the subscription ended because the shop was exchanged.
func (r *reopenable) subscribeOnce(ctx context.Context, name string, req *subgraph.Request, hand func(event []byte)) bool {
	s, leave := r.enter()
	leaving := r.leaving
	r.streams.Add(1)
	leave()
	defer r.streams.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(leaving, cancel)()
	next := s.servers[name].Subscribe(ctx, req)
	for event := next(); event != nil && ctx.Err() == nil; event = next() {
		hand(event)
	}
	return leaving.Err() != nil
}
