// Package jetstream is the bus between processes, on NATS JetStream (https://docs.nats.io/nats-concepts/jetstream): a
// stream for the events of each source, and in it a durable consumer for each consumer of theirs, which the replicas of
// a service share. An event is a CloudEvents envelope in structured JSON, with its id as the message id, so that the
// server drops what is published twice within a few minutes.
//
// The server need not wait for its disk: the outboxes are the truth, and Relay publishes again what a stream has lost.
// Order and "once" are the business of event.Consumer, and so are dead letters: replicas that share a consumer, and
// deliveries that come again, mix up events on their way.
//
// Streams carry the name of the installation that made them. One of another installation is refused.
package jetstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/agora-supergraph/agora/internal/event"
)

// Config says which server to use, and how.
type Config struct {
	// URL is that of the server, or several with commas between them. Empty means nats://127.0.0.1:4222.
	URL string
	// Prefix begins the names of all streams and subjects: letters, digits, - and _. Empty means agora.
	Prefix string
	// Installation is whose streams they are. Empty means agora.
	Installation string
	// Replicas is how many servers of a cluster keep each stream. Zero means 1.
	Replicas int
	// Keeps is for how long streams keep events. Zero means 7 days.
	Keeps time.Duration
	// AckWait is after what time a delivery that nobody has answered is made again: as long the events of a replica
	// that died stand still. Zero means 10 s.
	AckWait time.Duration
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// ErrForeign says that a stream belongs to another installation.
var ErrForeign = errors.New("it belongs to another installation")

// Bus is an event.Keeper. It is safe for concurrent use.
type Bus struct {
	cfg  Config
	conn *nats.Conn
	js   jetstream.JetStream

	subscriptions []subscription

	// mu guards the identities of the streams that are known to be there, by source.
	mu      sync.Mutex
	streams map[string]string
}

// Connect connects to the server, which must answer. Later the connection comes back by itself, whenever it is lost.
func Connect(cfg Config) (*Bus, error) {
	cfg.URL = cmp.Or(cfg.URL, nats.DefaultURL)
	cfg.Prefix = cmp.Or(cfg.Prefix, "agora")
	cfg.Installation = cmp.Or(cfg.Installation, "agora")
	cfg.Replicas = max(cfg.Replicas, 1)
	cfg.Keeps = cmp.Or(cfg.Keeps, 7*24*time.Hour)
	cfg.AckWait = cmp.Or(cfg.AckWait, 10*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if strings.Trim(cfg.Prefix, letters) != "" {
		return nil, fmt.Errorf("prefix %q of streams: want letters, digits, - and _", cfg.Prefix)
	}
	conn, err := nats.Connect(cfg.URL, nats.Name(cfg.Installation), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				cfg.Log.Warn("connection to the bus lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) { cfg.Log.Info("connection to the bus is back", "server", c.ConnectedUrlRedacted()) }))
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", redact(cfg.URL), err)
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncTimeout(askTimeout), jetstream.WithDefaultTimeout(askTimeout))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to NATS at %s: %w", redact(cfg.URL), err)
	}
	return &Bus{cfg: cfg, conn: conn, js: js, streams: map[string]string{}}, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// askTimeout bounds what is asked of the server.
const askTimeout = 5 * time.Second

// duplicates is for how long the server knows the ids of what was published.
const duplicates = 5 * time.Minute

// redact hides user and password of server URLs.
func redact(urls string) string {
	list := strings.Split(urls, ",")
	for i, u := range list {
		if at := strings.LastIndexByte(u, '@'); at >= 0 {
			list[i] = "nats://(redacted)" + u[at:]
		}
	}
	return strings.Join(list, ",")
}

// Close ends the connection. Call it after Run has returned.
func (b *Bus) Close() error {
	b.conn.Close()
	return nil
}

// Connected reports whether the server can be reached now.
func (b *Bus) Connected() bool { return b.conn.IsConnected() }

// Publish publishes a batch of any sources.
func (b *Bus) Publish(ctx context.Context, batch []event.Event) error {
	_, _, err := b.publish(ctx, batch)
	return err
}

// Keep publishes a batch of one source, and says where the stream has each event.
func (b *Bus) Keep(ctx context.Context, batch []event.Event) (log string, positions []int64, err error) {
	return b.publish(ctx, batch)
}

func (b *Bus) publish(ctx context.Context, batch []event.Event) (log string, positions []int64, err error) {
	acks := make([]jetstream.PubAckFuture, len(batch))
	for i, e := range batch {
		if log, err = b.ensure(ctx, e.Source); err != nil {
			return "", nil, err
		}
		raw, err := encode(e)
		if err != nil {
			return "", nil, err
		}
		message := &nats.Msg{Subject: b.subject(e), Data: raw, Header: nats.Header{"Content-Type": {"application/cloudevents+json"}}}
		acks[i], err = b.js.PublishMsgAsync(message, jetstream.WithMsgID(e.ID), jetstream.WithExpectStream(b.stream(e.Source)))
		if err != nil {
			return "", nil, fmt.Errorf("publish %s: %w", e.Type, err)
		}
	}
	positions = make([]int64, len(batch))
	for i, ack := range acks {
		select {
		case <-ctx.Done():
			return "", nil, ctx.Err()
		case err := <-ack.Err():
			b.doubt(batch[i].Source)
			return "", nil, fmt.Errorf("publish %s: %w", batch[i].Type, err)
		case ok := <-ack.Ok():
			positions[i] = int64(ok.Sequence)
		}
	}
	return log, positions, nil
}

// envelope is an event as CloudEvents 1.0 has it in JSON.
type envelope struct {
	SpecVersion string `json:"specversion"`
	ContentType string `json:"datacontenttype"`
	Schema      string `json:"dataschema"`
	event.Event
}

func encode(e event.Event) ([]byte, error) {
	raw, err := json.Marshal(envelope{"1.0", "application/json", event.SchemaID(e.Type), e})
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return raw, nil
}

func decode(raw []byte) (event.Event, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return event.Event{}, fmt.Errorf("decode event: %w", err)
	}
	if e.SpecVersion != "1.0" || e.ID == "" || e.Source == "" || e.Subject == "" || e.Sequence < 1 {
		return event.Event{}, fmt.Errorf("decode event %q: it is no CloudEvent 1.0 with id, source, subject and sequence", e.ID)
	}
	return e.Event, nil
}
