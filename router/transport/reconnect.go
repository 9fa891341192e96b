package transport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"github.com/coder/websocket"
)

// Reconnect says what becomes of a subscription whose stream breaks off, as when its subgraph restarts. What happened while
// there was no stream is not told again: nobody knows it.
type Reconnect struct {
	// For is how long a new stream is tried before the subscription ends with an error. Zero means 30 s, a negative value
	// that it is not tried at all.
	For time.Duration
	// Delay is what the first try waits at most; each further one waits up to twice as long, up to 10 s. Zero means 500 ms.
	Delay time.Duration
}

// maxReconnectDelay bounds the time between two tries.
const maxReconnectDelay = 10 * time.Second

// reconnecting is a stream that is opened again when it breaks off.
type reconnecting struct {
	Stream
	cfg  Reconnect
	open func() (Stream, error)
}

// Next waits for the next event, of a new stream if the old one is lost.
func (s *reconnecting) Next(ctx context.Context) ([]byte, error) {
	for {
		event, err := s.Stream.Next(ctx)
		if err == nil || ctx.Err() != nil || !isLoss(err) {
			return event, err
		}
		if s.again(ctx) != nil {
			return nil, err
		}
	}
}

// isLoss says whether a stream ended by its connection, and not by what the subgraph had to say: it closes a WebSocket with
// a code of the protocol's own if it won't have the subscription.
func isLoss(err error) bool {
	if errors.Is(err, io.EOF) || websocket.CloseStatus(err) >= 4000 {
		return false
	}
	var known *Error
	return !errors.As(err, &known) || known.Code == CodeHTTP
}

// again opens the stream again, or returns the error of the last try.
func (s *reconnecting) again(ctx context.Context) error {
	_ = s.Stream.Close() // it is broken already
	deadline := time.Now().Add(s.cfg.For)
	for delay := s.cfg.Delay; ; delay = min(2*delay, maxReconnectDelay) {
		// All clients of a subgraph that restarts would come back at once.
		wait := time.NewTimer(delay/2 + rand.N(delay/2+1))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
		stream, err := s.open()
		if err == nil {
			s.Stream = stream
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}
