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
	// published. Of several processes that subscribe the same consumer, one gets each event. A bus that has many events at a
	// time may hand them over by all, if it is given, and by handle those that all has returned an error for.
	Subscribe(consumer string, sources []string, handle Handler, all ...BatchHandler)
	// Redeliver hands a delivery to the handler that this process has subscribed for a consumer, if there is one.
	Redeliver(ctx context.Context, consumer string, d Delivery) error
}

// Keeper is a Bus that keeps events in a log of its own for a while, and that may lose some of them: its disk is put
// back from a copy, or somebody deletes it. Relay notices, and publishes again what is gone.
type Keeper interface {
	Bus
	// Keep is Publish for a batch of one source. It returns the log's identity, and each event's position in it.
	Keep(ctx context.Context, batch []Event) (log string, positions []int64, err error)
	// Log says what there is of the log of a source, which is made if there is none.
	Log(ctx context.Context, source string) (Log, error)
}

// Log is the state of a log that a Keeper keeps.
type Log struct {
	// ID is another one when the log is made anew.
	ID string
	// Last is the position of its last event, 0 for an empty log.
	Last int64
	// Keeps is for how long it keeps events.
	Keeps time.Duration
}

// Delivery is an event on its way to a consumer.
type Delivery struct {
	Event
	// Attempt counts the deliveries of this event to this consumer from 1.
	Attempt int
	// Parked says that the consumer has had it before, and put it off until now.
	Parked bool
}

// Handler takes a delivery: nil when it is done with; an error to have it delivered again, later.
type Handler func(ctx context.Context, d Delivery) error

// BatchHandler takes deliveries of different events, in their order: nil when it is done with all of them; an error to have
// them handed over one by one.
type BatchHandler func(ctx context.Context, batch []Delivery) error

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
	all      []BatchHandler
}

// Subscribe adds a consumer. It must not be called once events are published.
func (l *Local) Subscribe(consumer string, sources []string, handle Handler, all ...BatchHandler) {
	l.subscribers = append(l.subscribers, subscriber{consumer, sources, handle, all})
}

// together is how many events a consumer gets at a time: with one commit for many, an import is heard of in minutes and not in
// hours, and other writers of SQLite's one lock don't wait for long.
const together = 50

// Publish delivers a batch to all consumers, side by side, to each in the order of the batch.
func (l *Local) Publish(ctx context.Context, batch []Event) error {
	var wg sync.WaitGroup
	for _, s := range l.subscribers {
		wg.Go(func() {
			var mine []Delivery
			for _, e := range batch {
				if slices.Contains(s.sources, e.Source) {
					mine = append(mine, Delivery{Event: e, Attempt: 1})
				}
			}
			for part := range slices.Chunk(mine, together) {
				l.deliverAll(ctx, s, part)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (l *Local) deliverAll(ctx context.Context, s subscriber, part []Delivery) {
	if len(part) > 1 && len(s.all) > 0 && s.all[0](ctx, part) == nil {
		return
	}
	for _, d := range part {
		l.deliver(ctx, s, d.Event)
	}
}

func (l *Local) deliver(ctx context.Context, s subscriber, e Event) {
	for attempt := 1; ctx.Err() == nil; attempt++ {
		err := s.handle(ctx, Delivery{Event: e, Attempt: attempt})
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
		case <-time.After(Backoff(attempt)):
		}
	}
}

// Redeliver calls the handler of a consumer.
func (l *Local) Redeliver(ctx context.Context, consumer string, d Delivery) error {
	for _, s := range l.subscribers {
		if s.consumer == consumer && slices.Contains(s.sources, d.Source) {
			return s.handle(ctx, d)
		}
	}
	return nil
}

// Backoff is the pause behind an attempt that failed, counted from 1: from 10 ms on twice as long each time, up to 5 s.
func Backoff(attempt int) time.Duration {
	return min(10*time.Millisecond<<min(max(attempt-1, 0), 10), 5*time.Second)
}
