// Package telemetry lets one see what services do: spans of one trace through requests, statements, events and sagas, and
// metrics for Prometheus. A program calls Install before it opens services; what is not installed costs an atomic load.
//
// Spans are made by OpenTelemetry's API alone: where they go is the program's business. Context crosses processes, and time, as
// W3C trace context (https://www.w3.org/TR/trace-context): in the header traceparent, and in the extension traceparent of a
// CloudEvent. Beside it goes the id of the request that all began with.
package telemetry

import (
	"context"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Config says what is to be seen. The zero value is nothing.
type Config struct {
	// Tracing makes the spans; nil for none.
	Tracing trace.TracerProvider
	// Metrics counts and measures for Handler.
	Metrics bool
}

// scope names the library in traces.
const scope = "github.com/agora-supergraph/agora/internal/telemetry"

var (
	tracer atomic.Pointer[trace.Tracer]
	meters atomic.Pointer[metrics]
)

// Install lets this process be watched from now on, or not any more. Services that are open already are watched in part.
func Install(cfg Config) {
	tracer.Store(nil)
	if cfg.Tracing != nil {
		t := cfg.Tracing.Tracer(scope)
		tracer.Store(&t)
	}
	switch {
	case !cfg.Metrics:
		meters.Store(nil)
	case meters.Load() == nil:
		meters.Store(newMetrics())
	}
}

// Enabled reports whether anything is watched.
func Enabled() bool { return Tracing() || meters.Load() != nil }

// Tracing reports whether there are traces.
func Tracing() bool { return tracer.Load() != nil }

// The kinds of spans.
const (
	Server   = trace.SpanKindServer
	Client   = trace.SpanKindClient
	Producer = trace.SpanKindProducer
	Consumer = trace.SpanKindConsumer
	Internal = trace.SpanKindInternal
)

// Start begins a span. End ends it. Without traces the context is ctx itself.
func Start(ctx context.Context, name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	t := tracer.Load()
	if t == nil {
		return ctx, noop.Span{}
	}
	return (*t).Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

// End ends a span, which has failed unless err is nil.
func End(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// Traced reports whether something belongs to a trace.
func Traced(ctx context.Context) bool { return trace.SpanContextFromContext(ctx).IsValid() }

// RequestHeader carries the id of the request that all began with.
const RequestHeader = "X-Request-Id"

type requestKey struct{}

// WithRequest returns a context of what a request began.
func WithRequest(ctx context.Context, id string) context.Context {
	if id == "" {
		return ctx
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// Request is the id of the request that something began with, or "".
func Request(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// FromHeader returns the context of a request by its headers. In one process it may be part of its caller's trace already.
func FromHeader(ctx context.Context, header http.Header) context.Context {
	if ids := header[RequestHeader]; len(ids) == 1 {
		ctx = WithRequest(ctx, ids[0])
	}
	if !Tracing() || Traced(ctx) {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
}

// ToHeader adds to the headers of a request what FromHeader reads.
func ToHeader(ctx context.Context, header http.Header) {
	if id := Request(ctx); id != "" {
		header[RequestHeader] = []string{id}
	}
	if Tracing() {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
}

// Parent is the trace context as a traceparent, or "".
func Parent(ctx context.Context) string {
	if !Tracing() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// WithParent returns a context that goes on with the trace of a traceparent, and with no other one.
func WithParent(ctx context.Context, parent string) context.Context {
	if !Tracing() || parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), propagation.MapCarrier{"traceparent": parent})
}
