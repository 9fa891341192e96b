package event

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/telemetry"
)

// spans are those of events on their way to the bus, each in the trace that its event is a part of.
type spans []trace.Span

// watchPublishing begins a span for each event that is traced.
func watchPublishing(ctx context.Context, events []Event) spans {
	if !telemetry.Tracing() {
		return nil
	}
	var begun spans
	for _, e := range events {
		if e.TraceParent == "" {
			continue
		}
		_, span := telemetry.Start(telemetry.WithParent(ctx, e.TraceParent), "publish "+e.Type, telemetry.Producer, attributes(e)...)
		begun = append(begun, span)
	}
	return begun
}

// end ends them, and counts what was published.
func (s spans) end(source string, n int, err error) {
	for _, span := range s {
		telemetry.End(span, err)
	}
	if err == nil {
		telemetry.Published(source, n)
	}
}

// watchEffect begins the span of an event's effect on a consumer. The effect goes on with the event's trace and request.
func watchEffect(ctx context.Context, consumer string, e Event) (context.Context, trace.Span) {
	ctx = telemetry.WithParent(telemetry.WithRequest(ctx, e.Request), e.TraceParent)
	if !telemetry.Traced(ctx) {
		return ctx, trace.SpanFromContext(ctx)
	}
	return telemetry.Start(ctx, consumer+" "+e.Type, telemetry.Consumer, attributes(e)...)
}

func attributes(e Event) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("cloudevents.event_id", e.ID), attribute.String("cloudevents.event_source", e.Source), attribute.String("cloudevents.event_type", e.Type),
		attribute.String("cloudevents.event_subject", e.Subject), attribute.Int64("event.sequence", e.Sequence), attribute.String("event.correlation", e.Correlation),
	}
}

// Resume is WithCorrelation for what goes on behind a request that has been answered, perhaps after a restart or in another
// replica: the trace and the request that the subject's first event was said in go on, too. It reads them only if there are
// traces.
func (o *Outbox) Resume(ctx context.Context, subject string) context.Context {
	ctx = WithCorrelation(ctx, subject)
	if !telemetry.Tracing() {
		return ctx
	}
	var first struct{ Request, TraceParent string }
	if err := o.db.Read.GetContext(ctx, &first, `SELECT request, traceparent FROM outbox WHERE subject = $1 AND sequence = 1`, subject); err != nil {
		return ctx // the work matters more than its trace
	}
	return telemetry.WithParent(telemetry.WithRequest(ctx, first.Request), first.TraceParent)
}

// measure has the outbox's backlog read whenever metrics are.
func (o *Outbox) measure() {
	telemetry.Count("event_outbox_unpublished", "Events that the bus has not taken yet.", o.source, func(ctx context.Context) (n int64, err error) {
		err = o.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM outbox WHERE published_us IS NULL`)
		return n, err
	})
	telemetry.Age("event_outbox_lag_seconds", "The age of the oldest event that the bus has not taken yet.", o.source, func(ctx context.Context) (time.Duration, error) {
		var oldest *int64
		if err := o.db.Read.GetContext(ctx, &oldest, `SELECT MIN(time_us) FROM outbox WHERE published_us IS NULL`); err != nil || oldest == nil {
			return 0, err
		}
		return time.Since(database.Time(*oldest)), nil
	})
	telemetry.Count("event_parked", "Events that consumers have set aside until later.", o.source, func(ctx context.Context) (n int64, err error) {
		err = o.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM parked`)
		return n, err
	})
	telemetry.Count("event_dead_letters", "Events that could not be applied.", o.source, func(ctx context.Context) (n int64, err error) {
		err = o.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM dead_letter`)
		return n, err
	})
}
