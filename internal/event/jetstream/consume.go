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
	all              []event.BatchHandler
}

// Subscribe adds a consumer, which gets nothing before Run. It must not be called once Run was. Events that wait together are
// handed over together, where the consumer can take them so.
func (b *Bus) Subscribe(consumer string, sources []string, handle event.Handler, all ...event.BatchHandler) {
	for _, source := range sources {
		b.subscriptions = append(b.subscriptions, subscription{consumer, source, handle, all})
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
			b.deliverAll(ctx, s, append([]jetstream.Msg{message}, waiting(messages)...))
		}
	}
	return nil
}

// waiting are the messages behind one that are here already.
func waiting(messages jetstream.MessagesContext) (list []jetstream.Msg) {
	for len(list) < prefetch-1 {
		message, err := messages.Next(jetstream.NextMaxWait(time.Microsecond))
		if err != nil {
			break // what is more than that nothing is there, the next look says again
		}
		list = append(list, message)
	}
	return list
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

// arrival is an event, and the message that brought it.
type arrival struct {
	event.Delivery
	message jetstream.Msg
}

// deliverAll hands events over, together if that can be, and tells the server what became of each of them. An answer that gets
// lost only has the event delivered again.
func (b *Bus) deliverAll(ctx context.Context, s subscription, messages []jetstream.Msg) {
	log := b.cfg.Log.With("consumer", s.consumer, "source", s.source)
	var arrivals []arrival
	var batch []event.Delivery
	for _, message := range messages {
		attempt := 1
		if meta, err := message.Metadata(); err == nil {
			attempt = int(meta.NumDelivered)
		}
		e, err := decode(message.Data())
		if err != nil {
			log.ErrorContext(ctx, "an event is dropped", "subject", message.Subject(), "error", err)
			message.TermWithReason(err.Error())
			continue
		}
		d := event.Delivery{Event: e, Attempt: attempt}
		arrivals, batch = append(arrivals, arrival{d, message}), append(batch, d)
	}
	together := len(batch) > 1 && len(s.all) > 0 && b.within(ctx, func(ctx context.Context) error { return s.all[0](ctx, batch) }) == nil
	for _, a := range arrivals {
		if !together {
			err := b.within(ctx, func(ctx context.Context) error { return s.handle(ctx, a.Delivery) })
			if err != nil {
				if ctx.Err() == nil {
					log.WarnContext(ctx, "deliver event", "type", a.Type, "event", a.ID, "attempt", a.Attempt, "error", err)
				}
				a.message.NakWithDelay(event.Backoff(a.Attempt))
				continue
			}
		}
		if err := a.message.Ack(); err != nil {
			log.WarnContext(ctx, "acknowledge event", "event", a.ID, "error", err)
		}
	}
}

// within calls a handler, which has until the server would deliver its events again.
func (b *Bus) within(ctx context.Context, handle func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.AckWait)
	defer cancel()
	return handle(ctx)
}
