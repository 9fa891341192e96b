package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	services "github.com/agora-supergraph/agora/internal/telemetry"
	"github.com/agora-supergraph/agora/router/telemetry"
)

// The environment's settings: where traces go, as OpenTelemetry's own programs have it, and where metrics can be read.
const (
	collectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"
	serviceVariable   = "OTEL_SERVICE_NAME"
	metricsVariable   = "AGORA_METRICS"
)

// watching is who watches the services of this process, and the router if that is in it, too.
type watching struct {
	router *telemetry.Telemetry
	log    *slog.Logger
	// metrics is the address where they can be read: those of the router at /metrics, those of the services at
	// /services/metrics. Empty for none.
	metrics string
	// shutdown sends the traces that are still here; nil without a collector.
	shutdown func(ctx context.Context) error
}

// newWatch lets be watched what the environment says. It is called before services are opened.
func newWatch(name string, log *slog.Logger) (*watching, error) {
	w := &watching{log: log, metrics: os.Getenv(metricsVariable)}
	var spans trace.TracerProvider
	if endpoint := os.Getenv(collectorVariable); endpoint != "" {
		provider, err := telemetry.NewProvider(telemetry.Tracing{Endpoint: endpoint, Service: cmp.Or(os.Getenv(serviceVariable), name)}, log)
		if err != nil {
			return nil, err
		}
		spans, w.shutdown = provider, provider.Shutdown
	}
	return w, w.install(spans)
}

func (w *watching) install(spans trace.TracerProvider) (err error) {
	services.Install(services.Config{Tracing: spans, Metrics: w.metrics != ""})
	w.router, err = telemetry.New(telemetry.Config{
		Tracing: telemetry.Tracing{Provider: spans},
		// Run is not called: the address is served here, together with the services' metrics.
		Metrics: telemetry.Metrics{Listen: w.metrics},
	}, w.log)
	return err
}

// run serves the metrics until ctx ends.
func (w *watching) run(ctx context.Context) error {
	if w.metrics == "" {
		return nil
	}
	listener, err := net.Listen("tcp", w.metrics)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", w.router.MetricsHandler())
	mux.Handle("GET /services/metrics", services.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
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

// close sends the last traces.
func (w *watching) close() {
	if w.shutdown == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := w.shutdown(ctx); err != nil {
		w.log.Warn("the last traces are lost", "error", err)
	}
}
