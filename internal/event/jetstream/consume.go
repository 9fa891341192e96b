package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/event"
)

// subscription is a consumer of one source.
type subscription struct {
	consumer, source string
	handle           event.Handler
}

// Subscribe adds a consumer, which gets nothing before Run. It must not be called once Run was. Events are handed over one by
// one: the server wants to hear of each of them.
func (b *Bus) Subscribe(consumer string, sources []string, handle event.Handler, _ ...event.BatchHandler) {
	for _, source := range sources {
		b.subscriptions = append(b.subscriptions, subscription{consumer, source, handle})
	}
}

// The rhythm of a subscription: how many deliveries it holds that nobody has handled yet, few, since they wait here while
// other replicas go on with what comes behind them; how often the server shows
// that it is there, and how long a subscription waits before it begins anew after an error.
const (
	prefetch   = 8
	lifeSign   = time.Second
	beginAgain = 500 * time.Millisecond
)

// Redeliver calls the handler of a consumer.
func (b *Bus) Redeliver(ctx context.Context, consumer string, d event.Delivery) error {
	for _, s := range b.subscriptions {
		if s.consumer == consumer && s.source == d.Source {
			return s.handle(ctx, d)
		}
	}
	return nil
}

// Run hands events to the subscribers until ctx ends. It returns an error at once for a stream of another installation;
// what else goes wrong it tries again.
func (b *Bus) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range b.subscriptions {
		g.Go(func() error { return b.follow(ctx, s) })
	}
	return g.Wait()
}

// follow reads a subscription's events, from its durable consumer, which is made if it isn't there: also later, since a
// stream that is deleted takes its consumers along.
func (b *Bus) follow(ctx context.Context, s subscription) error {
	for ctx.Err() == nil {
		err := b.read(ctx, s)
		if errors.Is(err, ErrForeign) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		b.cfg.Log.WarnContext(ctx, "read events", "consumer", s.consumer, "source", s.source, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(beginAgain):
		}
	}
	return nil
}

// read hands over events until something goes wrong, or ctx ends.
func (b *Bus) read(ctx context.Context, s subscription) error {
	if _, err := b.info(ctx, s.source); err != nil {
		return err
	}
	durable, err := b.js.CreateOrUpdateConsumer(ctx, b.stream(s.source), jetstream.ConsumerConfig{
		Durable:       token(s.consumer),
		Description:   s.consumer,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       b.cfg.AckWait,
		MaxDeliver:    -1, // who gives up is the handler
		MaxAckPending: 1000,
	})
	if err != nil {
		return fmt.Errorf("consumer %s: %w", s.consumer, err)
	}
	messages, err := durable.Messages(jetstream.PullMaxMessages(prefetch), jetstream.PullExpiry(2*lifeSign), jetstream.PullHeartbeat(lifeSign))
	if err != nil {
		return fmt.Errorf("consumer %s: %w", s.consumer, err)
	}
	defer b.giveBack(messages)
	for ctx.Err() == nil {
		message, err := messages.Next(jetstream.NextMaxWait(lifeSign))
		switch {
		case errors.Is(err, nats.ErrTimeout): // nothing is there
		case err != nil:
			return err
		default:
			b.deliver(ctx, s, message)
		}
	}
	return nil
}

// giveBack ends an iterator. What it holds goes to other replicas at once, and not when the server has waited for it.
func (b *Bus) giveBack(messages jetstream.MessagesContext) {
	messages.Drain()
	for {
		message, err := messages.Next(jetstream.NextMaxWait(lifeSign))
		if err != nil {
			messages.Stop()
			return
		}
		message.Nak()
	}
}

// deliver hands one event over, and tells the server what became of it. An answer that gets lost only has the event
// delivered again.
func (b *Bus) deliver(ctx context.Context, s subscription, message jetstream.Msg) {
	log := b.cfg.Log.With("consumer", s.consumer, "source", s.source)
	attempt := 1
	if meta, err := message.Metadata(); err == nil {
		attempt = int(meta.NumDelivered)
	}
	e, err := decode(message.Data())
	if err != nil {
		log.ErrorContext(ctx, "an event is dropped", "subject", message.Subject(), "error", err)
		message.TermWithReason(err.Error())
		return
	}
	limited, cancel := context.WithTimeout(ctx, b.cfg.AckWait)
	defer cancel()
	if err := s.handle(limited, event.Delivery{Event: e, Attempt: attempt}); err != nil {
		if ctx.Err() == nil {
			log.WarnContext(ctx, "deliver event", "type", e.Type, "event", e.ID, "attempt", attempt, "error", err)
		}
		message.NakWithDelay(event.Backoff(attempt))
		return
	}
	if err := message.Ack(); err != nil {
		log.WarnContext(ctx, "acknowledge event", "event", e.ID, "error", err)
	}
}
