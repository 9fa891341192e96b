// Package event carries what happened in one service to the others, and loses nothing on the way.
//
// A service writes an Event into its outbox in the transaction of the change that the event tells of; a Relay
// publishes what is unpublished to the Bus, as often as it takes; a Consumer applies it in one transaction with
// a note in its inbox, so that an event that comes twice has one effect. The outbox is the truth: its rows stay
// when they are published. Events of one subject (one aggregate) are applied in the order of their sequence.
//
// The envelope is CloudEvents 1.0 (https://github.com/cloudevents/spec) with the extensions sequence,
// correlationid, causationid, requestid and traceparent
// (https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md).
package event

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of outbox and inbox, for database.Open.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err)
	}
	return sub
}

// Event is something that happened. It is immutable once appended.
type Event struct {
	ID string `json:"id"`
	// Source is the service that it happened in, such as "agora/orders".
	Source string `json:"source"`
	// Type is a reverse-DNS name with a version, such as "agora.orders.order.confirmed.v1".
	Type string `json:"type"`
	// Subject is the id of the aggregate that it happened to.
	Subject string `json:"subject"`
	// Sequence counts the events of the subject from 1, without gaps.
	Sequence int64     `json:"sequence"`
	Time     time.Time `json:"time"`
	// Correlation is the same in everything that follows from one request: for a checkout, the order's id.
	Correlation string `json:"correlationid,omitempty"`
	// Causation is the id of the event that this one answers to, if any.
	Causation string `json:"causationid,omitempty"`
	// Request is the id of the request that it all began with, if any.
	Request string `json:"requestid,omitempty"`
	// TraceParent is the trace that it is a part of, as W3C trace context has it; empty if it isn't traced.
	TraceParent string          `json:"traceparent,omitempty"`
	Data        json.RawMessage `json:"data"`
}

// New returns an event that is to be appended: Append gives it its source, sequence and time. The data is
// encoded as JSON and must be encodable.
func New(typ, subject string, data any) Event {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("encode data of event %s: %v", typ, err))
	}
	return Event{ID: id.New(id.Event), Type: typ, Subject: subject, Data: raw}
}

// Decode reads the data of an event.
func (e Event) Decode(into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("decode data of event %s %s: %w", e.Type, e.ID, err)
	}
	return nil
}

type correlationKey struct{}

// WithCorrelation returns a context whose appended events carry the correlation id.
func WithCorrelation(ctx context.Context, correlation string) context.Context {
	return context.WithValue(ctx, correlationKey{}, correlation)
}

type causationKey struct{}

// correlationOf is what an event appended under this context carries on.
func correlationOf(ctx context.Context) (correlation, causation string) {
	correlation, _ = ctx.Value(correlationKey{}).(string)
	causation, _ = ctx.Value(causationKey{}).(string)
	return correlation, causation
}

// SchemaID names the JSON Schema of a type of event: the $id of its file in schema/events.
func SchemaID(typ string) string { return "urn:agora:event:" + typ }
