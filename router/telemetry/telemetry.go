// Package telemetry lets one see what a router does: traces by OTLP (https://opentelemetry.io/docs/specs/otlp), metrics for
// Prometheus, and slow operations with their plan in the log. New makes it of a Config, Watch puts it into a router.Config,
// Run serves and flushes.
//
// It is made of the router's own seams: hooks and an observer at the front door. What is not configured is not there, and
// costs the router a nil check. Traces go to their collector in batches, from a queue of bounded length beside the requests;
// what does not fit is dropped. A collector that is away is said once in the log.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/traffic"
)

// Config says what is to be seen. The zero value is nothing.
type Config struct {
	// Tracing sends traces to a collector.
	Tracing Tracing
	// Metrics are for Prometheus.
	Metrics Metrics
	// SlowOperations is how long an operation may take before it is logged with its plan and the times of its fetches. Zero
	// means that none is.
	SlowOperations time.Duration `min:"0s" max:"10m"`
}

// Tracing says where traces go, and how many.
type Tracing struct {
	// Endpoint is the URL of the collector, such as http://localhost:4318; the path /v1/traces is added if it has none. Empty
	// means that there are no traces.
	Endpoint string `format:"uri"`
	// Headers are sent to the collector.
	Headers map[string]string
	// SamplePercent is how many of the requests are traced that come without a traceparent: of one that has, the caller has
	// decided. Zero means 100.
	SamplePercent float64 `min:"0" max:"100"`
	// IgnoreCaller decides on requests with a traceparent as on those without: where callers are not trusted.
	IgnoreCaller bool
	// Service is the name of the router in traces. Empty means router.
	Service string
	// QueueSize is how many spans wait for the collector at most. Zero means 2048.
	QueueSize int `min:"0" max:"1000000"`
	// Provider makes the spans instead of a collector's at Endpoint; nil for none. Its sampling is its own.
	Provider trace.TracerProvider `yaml:"-"`
}

// Metrics says where metrics can be read, and what their labels tell.
type Metrics struct {
	// Listen is an address of their own, as host:port, where they are at /metrics. Empty means none.
	Listen string
	// Path is a path at the front door where they are, too, such as /metrics. Everybody can read them there. Empty means none.
	Path string
	// Operations are names of operations that metrics tell apart; those of persisted documents they do anyway. Others have the
	// name "other", since clients can make up any number of names.
	Operations []string
	// Clients are names of clients that metrics tell apart; those that an API key proves they do anyway.
	Clients []string
}

func (m Metrics) enabled() bool { return m.Listen != "" || m.Path != "" }

// Validate says what in c can't work.
func (c Config) Validate() error {
	if path := c.Metrics.Path; path != "" && (!strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#{} ")) {
		return fmt.Errorf("telemetry.metrics.path %q: expected an absolute URL path such as /metrics", path)
	}
	return nil
}

// Telemetry is what watches a router. It is safe for concurrent use.
type Telemetry struct {
	cfg     Config
	log     *slog.Logger
	tracer  trace.Tracer
	metrics *metrics
	// shutdown flushes what the collector has not got yet; nil without a collector.
	shutdown func(ctx context.Context) error
}

// propagator reads and writes W3C trace context (https://www.w3.org/TR/trace-context).
var propagator = propagation.TraceContext{}

// scope names the library in traces.
const scope = "github.com/agora-supergraph/agora/router/telemetry"

// New makes what cfg says. Run has to be called for traces and for an address of metrics.
func New(cfg Config, log *slog.Logger) (*Telemetry, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Telemetry{cfg: cfg, log: log}
	switch {
	case cfg.Tracing.Provider != nil:
		t.tracer = cfg.Tracing.Provider.Tracer(scope)
	case cfg.Tracing.Endpoint != "":
		provider, err := NewProvider(cfg.Tracing, log)
		if err != nil {
			return nil, err
		}
		t.tracer, t.shutdown = provider.Tracer(scope), provider.Shutdown
	}
	if cfg.Metrics.enabled() {
		t.metrics = newMetrics(cfg.Metrics)
	}
	return t, nil
}

// Watch lets the router of cfg be watched.
func (t *Telemetry) Watch(cfg *router.Config) {
	if t.tracer != nil || t.metrics != nil || t.cfg.SlowOperations > 0 {
		cfg.Hooks = append([]router.Hook{watcher{t}}, cfg.Hooks...)
	}
	if t.tracer != nil {
		// Behind other hooks, so that what these send otherwise is told of the trace, too.
		cfg.Hooks = append(cfg.Hooks, router.FetchFunc(passOn))
	}
	if t.metrics == nil {
		return
	}
	cfg.Serve.Observer = t.metrics
	for _, hook := range cfg.Hooks {
		if cache, ok := hook.(*responsecache.Cache); ok {
			t.metrics.watchAnswers(cache)
		}
	}
	if next := cfg.TrafficEvents; next != nil {
		cfg.TrafficEvents = func(subgraph string) traffic.Events { return both(t.metrics.traffic(subgraph), next(subgraph)) }
	} else {
		cfg.TrafficEvents = t.metrics.traffic
	}
	if path := t.cfg.Metrics.Path; path != "" {
		pages := map[string]http.Handler{path: t.metrics.handler()}
		for at, page := range cfg.Serve.Pages {
			pages[at] = page
		}
		cfg.Serve.Pages = pages
	}
}

// Observer watches a front door that is not the router's own; nil if it needs none.
func (t *Telemetry) Observer() serve.Observer {
	if t.metrics == nil {
		return nil
	}
	return t.metrics
}

// MetricsHandler answers with the metrics; nil if there are none.
func (t *Telemetry) MetricsHandler() http.Handler {
	if t.metrics == nil {
		return nil
	}
	return t.metrics.handler()
}

// both tells two of what happens to a subgraph.
func both(a, b traffic.Events) traffic.Events {
	if b.Breaker == nil {
		b.Breaker = func(traffic.State) {}
	}
	if b.Repeated == nil {
		b.Repeated = func(bool) {}
	}
	return traffic.Events{
		Breaker:  func(s traffic.State) { a.Breaker(s); b.Breaker(s) },
		Repeated: func(hedge bool) { a.Repeated(hedge); b.Repeated(hedge) },
	}
}

// flushTimeout bounds how long the end waits for the collector.
const flushTimeout = 5 * time.Second

// Run serves metrics at their own address until ctx ends, and then sends the traces that are still here. An error means
// that the address could not be listened on.
func (t *Telemetry) Run(ctx context.Context) error {
	var err error
	if t.metrics != nil && t.cfg.Metrics.Listen != "" {
		err = t.serve(ctx)
	}
	<-ctx.Done()
	if t.shutdown == nil {
		return err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if lost := t.shutdown(limited); lost != nil {
		t.log.WarnContext(ctx, "the last traces are lost", "error", lost)
	}
	return err
}

func (t *Telemetry) serve(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", t.cfg.Metrics.Listen)
	if err != nil {
		t.log.ErrorContext(ctx, "metrics can't be read", "error", err)
		return fmt.Errorf("listen for metrics: %w", err)
	}
	t.log.InfoContext(ctx, "metrics", "address", listener.Addr().String())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", t.metrics.handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: flushTimeout, WriteTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { err = server.Serve(listener) })
	<-ctx.Done()
	server.Close()
	serving.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
