package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"sync"
)

// CodeSlowSubscriber is the code of the error that ends a shared subscription for one who does not read.
const CodeSlowSubscriber = "SUBSCRIBER_TOO_SLOW"

// broadcast is one stream for all who subscribe to the same: it lives as long as one of them does.
type broadcast struct {
	shared *Shared
	hash   uint64
	req    *Request
	cancel context.CancelFunc
	// done is closed when nobody reads the subgraph's stream any more.
	done chan struct{}
	// started is closed once the subgraph has accepted, or err says why not.
	started chan struct{}
	err     error

	mu          sync.Mutex
	ended       bool
	subscribers map[*subscriber]struct{}
}

// subscriber is one of those who share a stream.
type subscriber struct {
	from *broadcast
	// wake holds at most one sign that there is something to read.
	wake chan struct{}
	// queue and end are guarded by the lock of from.
	queue [][]byte
	end   error
}

// Subscribe joins a subscription that runs already, with the same body and the same headers, or starts one. Events that
// one of many has not read in time wait for it, up to Subscriptions.Backlog; then it is cut off, or loses the oldest ones, and the others
// go on.
func (s *Shared) Subscribe(ctx context.Context, req *Request) (Stream, error) {
	hash := maphash.Bytes(shareSeed, req.Body)
	s.mu.Lock()
	b := s.streams[hash]
	if b != nil && !s.same(b.req, req) {
		s.mu.Unlock()
		return s.Transport.Subscribe(ctx, req)
	}
	var own *subscriber
	if b != nil {
		own = b.join()
	}
	if own == nil {
		b, own = s.begin(ctx, req, hash)
	}
	s.mu.Unlock()
	select {
	case <-b.started:
	case <-ctx.Done():
		_ = own.Close()
		return nil, ctx.Err()
	}
	if b.err != nil {
		_ = own.Close()
		return nil, b.err
	}
	return own, nil
}

// begin starts a broadcast. The lock is held.
func (s *Shared) begin(ctx context.Context, req *Request, hash uint64) (*broadcast, *subscriber) {
	// It outlives the one who came first, and so do the bytes of the request.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	own := *req
	own.Body = bytes.Clone(req.Body)
	own.Variables = bytes.Clone(req.Variables)
	own.Header = req.Header.Clone()
	b := &broadcast{
		shared: s, hash: hash, req: &own, cancel: cancel, done: make(chan struct{}), started: make(chan struct{}),
		subscribers: map[*subscriber]struct{}{},
	}
	if s.streams == nil {
		s.streams = map[uint64]*broadcast{}
	}
	s.streams[hash] = b
	first := b.join()
	go b.run(ctx) // Close of the last subscriber waits for it
	return b, first
}

// join is nil if the broadcast has ended.
func (b *broadcast) join() *subscriber {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return nil
	}
	own := &subscriber{from: b, wake: make(chan struct{}, 1)}
	b.subscribers[own] = struct{}{}
	return own
}

// run copies the subgraph's events to all subscribers until either side ends.
func (b *broadcast) run(ctx context.Context) {
	defer close(b.done)
	stream, err := b.shared.Transport.Subscribe(ctx, b.req)
	b.err = err
	if err != nil {
		b.finish(err)
		close(b.started)
		return
	}
	close(b.started)
	defer stream.Close()
	for {
		event, err := stream.Next(ctx)
		if err != nil {
			b.finish(err)
			return
		}
		b.tell(bytes.Clone(event))
	}
}

// tell puts an event into every queue.
func (b *broadcast) tell(event []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	backlog := cmp.Or(b.shared.Subscriptions.Backlog, 100)
	for own := range b.subscribers {
		if own.end != nil {
			continue
		}
		if len(own.queue) >= backlog {
			if !b.shared.Subscriptions.DropOldest {
				own.end = &Error{Code: CodeSlowSubscriber, Message: "sent more events than the client has taken"}
				own.signal()
				continue
			}
			own.queue = own.queue[1:]
		}
		own.queue = append(own.queue, event)
		own.signal()
	}
}

// finish ends the broadcast: nobody joins it any more.
func (b *broadcast) finish(err error) {
	b.shared.mu.Lock()
	if b.shared.streams[b.hash] == b {
		delete(b.shared.streams, b.hash)
	}
	b.shared.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	for own := range b.subscribers {
		if own.end == nil {
			own.end = err
		}
		own.signal()
	}
}

func (s *subscriber) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next waits for the next event. The end of ctx does not end the subscription.
func (s *subscriber) Next(ctx context.Context) ([]byte, error) {
	for {
		s.from.mu.Lock()
		var event []byte
		if len(s.queue) > 0 {
			event, s.queue = s.queue[0], s.queue[1:]
		}
		end := s.end
		s.from.mu.Unlock()
		switch {
		case event != nil:
			return event, nil
		case errors.Is(end, io.EOF):
			return nil, io.EOF
		case end != nil:
			return nil, end
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Close leaves the subscription; the last one ends it, also at the subgraph.
func (s *subscriber) Close() error {
	b := s.from
	b.shared.mu.Lock()
	b.mu.Lock()
	delete(b.subscribers, s)
	last := len(b.subscribers) == 0
	if last {
		b.ended = true // nobody may join what is about to end
		if b.shared.streams[b.hash] == b {
			delete(b.shared.streams, b.hash)
		}
	}
	b.mu.Unlock()
	b.shared.mu.Unlock()
	if last {
		b.cancel()
		<-b.done
	}
	return nil
}
