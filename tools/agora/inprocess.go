package main

import (
	"context"
	"io"

	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// inProcess lets the router reach a subgraph of this process without HTTP.
type inProcess struct {
	shop *reopenable
	name string
}

func request(req *transport.Request) *subgraph.Request {
	return &subgraph.Request{Query: req.Query, OperationName: req.OperationName, Variables: req.Variables, Header: req.Header}
}

// Serve answers a query or mutation.
func (p inProcess) Serve(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	s, leave := p.shop.enter()
	defer leave()
	if s == nil {
		return nil, errClosed
	}
	return &transport.Response{Status: 200, Body: s.servers[p.name].Serve(ctx, request(req))}, nil
}

// Subscribe starts a subscription.
func (p inProcess) Subscribe(_ context.Context, req *transport.Request) (transport.Stream, error) {
	// The stream outlives the call, and ends by Close; the bytes of the request don't outlive it.
	ctx, cancel := context.WithCancel(context.Background())
	copied := request(req)
	copied.Variables = append([]byte(nil), copied.Variables...)
	copied.Header = req.Header.Clone()
	s := &stream{cancel: cancel, events: make(chan []byte)}
	go func() {
		defer close(s.events)
		p.shop.subscribe(ctx, p.name, copied, func(ctx context.Context, event []byte) {
			select {
			case s.events <- event:
			case <-ctx.Done():
			}
		})
	}()
	return s, nil
}

// stream hands the events of a subscription over. Its goroutine ends with the subscription or with Close.
type stream struct {
	cancel context.CancelFunc
	events chan []byte
}

// Next waits for the next event.
func (s *stream) Next(ctx context.Context) ([]byte, error) {
	select {
	case event, ok := <-s.events:
		if !ok {
			return nil, io.EOF
		}
		return event, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the subscription.
func (s *stream) Close() error {
	s.cancel()
	for range s.events { // wait for the goroutine
	}
	return nil
}
