package event

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Bus is the transport of events. What it loses, the outbox still has.
type Bus interface {
	// Publish hands a batch over, and returns once the bus answers for every event of it. It may deliver an
	// event more than once.
	Publish(ctx context.Context, batch []Event) error
	// Subscribe names a consumer of the events of some sources. All subscriptions are made before anything is
	// published.
	Subscribe(consumer string, sources []string, handle Handler)
}

// Delivery is an event on its way to a consumer.
type Delivery struct {
	Event
	// Attempt counts the deliveries of this event to this consumer from 1.
	Attempt int
}

// Handler takes a delivery: nil when it is done with; an error to have it delivered again, later.
type Handler func(ctx context.Context, d Delivery) error

// Local is the bus within one process: the outboxes themselves are its log. Publish returns when every
// consumer has taken every event, so nothing is marked as published that somebody has not seen. The zero value
// is ready.
type Local struct {
	// Log takes deliveries that failed. Nil means slog.Default().
	Log *slog.Logger

	subscribers []subscriber
}

type subscriber struct {
	consumer string
	sources  []string
	handle   Handler
}

// Subscribe adds a consumer. It must not be called once events are published.
func (l *Local) Subscribe(consumer string, sources []string, handle Handler) {
	l.subscribers = append(l.subscribers, subscriber{consumer, sources, handle})
}

// Publish delivers a batch to all consumers, side by side, to each in the order of the batch.
func (l *Local) Publish(ctx context.Context, batch []Event) error {
	var wg sync.WaitGroup
	for _, s := range l.subscribers {
		wg.Go(func() {
			for _, e := range batch {
				if slices.Contains(s.sources, e.Source) {
					l.deliver(ctx, s, e)
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// maxDelay bounds the pause between two deliveries of an event.
const maxDelay = 5 * time.Second

func (l *Local) deliver(ctx context.Context, s subscriber, e Event) {
	delay := 10 * time.Millisecond
	for attempt := 1; ctx.Err() == nil; attempt++ {
		err := s.handle(ctx, Delivery{e, attempt})
		if err == nil || ctx.Err() != nil { // what was not handled comes again after the next start
			return
		}
		log := l.Log
		if log == nil {
			log = slog.Default()
		}
		log.WarnContext(ctx, "deliver event", "consumer", s.consumer, "type", e.Type, "event", e.ID, "attempt", attempt, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay = min(2*delay, maxDelay)
	}
}
