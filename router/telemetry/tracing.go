package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/transport"
)

// NewProvider makes a provider of spans that go to the collector of cfg. Its Shutdown sends what is still here.
func NewProvider(cfg Tracing, log *slog.Logger) (*sdktrace.TracerProvider, error) {
	endpoint, err := url.Parse(cfg.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fmt.Errorf("telemetry.tracing.endpoint %q: expected the URL of a collector such as http://localhost:4318", cfg.Endpoint)
	}
	if endpoint.Path == "" || endpoint.Path == "/" {
		endpoint.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(context.Background(),
		otlptracehttp.WithEndpointURL(endpoint.String()), otlptracehttp.WithHeaders(cfg.Headers), otlptracehttp.WithTimeout(flushTimeout),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		// What can't be sent makes room for what comes next, and does not wait for the collector to come back.
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return nil, fmt.Errorf("traces to %s: %w", cfg.Endpoint, err)
	}
	queue := cmp.Or(cfg.QueueSize, sdktrace.DefaultMaxQueueSize)
	return sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sampler(cfg)),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", cmp.Or(cfg.Service, "router")))),
		sdktrace.WithBatcher(&calm{SpanExporter: exporter, log: log, endpoint: cfg.Endpoint},
			sdktrace.WithMaxQueueSize(queue), sdktrace.WithMaxExportBatchSize(min(queue, sdktrace.DefaultMaxExportBatchSize))),
	), nil
}

// sampler decides by the caller's decision if there is one, else by the trace's id, so that all routers decide the same.
func sampler(cfg Tracing) sdktrace.Sampler {
	root := sdktrace.TraceIDRatioBased(cmp.Or(cfg.SamplePercent, 100) / 100)
	if cfg.IgnoreCaller {
		return sdktrace.ParentBased(root, sdktrace.WithRemoteParentSampled(root), sdktrace.WithRemoteParentNotSampled(root))
	}
	return sdktrace.ParentBased(root)
}

// calm is an exporter whose failures are logged when they begin and when they end. OpenTelemetry itself would write each of
// them to standard error.
type calm struct {
	sdktrace.SpanExporter
	log      *slog.Logger
	endpoint string
	away     atomic.Bool
}

// ExportSpans sends spans, or drops them.
func (c *calm) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	switch away := err != nil; {
	case away == c.away.Swap(away):
	case away:
		c.log.WarnContext(ctx, "traces are dropped: the collector is away", "endpoint", c.endpoint, "error", err)
	default:
		c.log.InfoContext(ctx, "the collector is back", "endpoint", c.endpoint)
	}
	return nil
}

// Shutdown closes the connections to the collector.
func (c *calm) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return c.SpanExporter.Shutdown(ctx)
}

// passOn tells a subgraph of the span of its fetch, in the header traceparent.
func passOn(ctx context.Context, _ string, req *transport.Request, send router.Send) (*transport.Response, error) {
	own := *req
	own.Header = make(http.Header, len(req.Header)+2)
	for name, values := range req.Header {
		own.Header[name] = values
	}
	propagator.Inject(ctx, propagation.HeaderCarrier(own.Header))
	return send(ctx, &own)
}
