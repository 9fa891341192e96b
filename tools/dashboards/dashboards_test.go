// Package dashboards holds Grafana dashboards of the router and of the services: import the JSON files.
package dashboards

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/event"
	services "github.com/agora-supergraph/agora/internal/telemetry"
	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/telemetry"
	"github.com/agora-supergraph/agora/router/traffic"
	"github.com/agora-supergraph/agora/router/transport"
	"github.com/agora-supergraph/agora/subgraphs/orders"
)

var (
	metric = regexp.MustCompile(`\b(router|subgraph|database|event|orders|cache|go|process)_[a-z_]+\b`)
	// sample is a line that Prometheus reads; by is a list of labels in an expression.
	sample = regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? `)
	label  = regexp.MustCompile(`(\w+)="`)
	by     = regexp.MustCompile(`by \(([^)]+)\) \(((?:[^()]|\([^()]*\))*)\)`)
)

// exported are the metrics that a handler gives, with their labels.
func exported(handler http.Handler) map[string]map[string]bool {
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	all := map[string]map[string]bool{}
	for _, line := range sample.FindAllStringSubmatch(rec.Body.String(), -1) {
		labels := all[line[1]]
		if labels == nil {
			labels = map[string]bool{}
			all[line[1]] = labels
		}
		for _, name := range label.FindAllStringSubmatch(line[2], -1) {
			labels[name[1]] = true
		}
	}
	return all
}

// shows checks that a dashboard shows only what is exported, by labels that there are.
func shows(t *testing.T, file string, all map[string]map[string]bool) {
	t.Helper()
	board, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names := metric.FindAllString(string(board), -1)
	if len(names) < 10 {
		t.Errorf("%s shows %d metrics", file, len(names))
	}
	for _, name := range names {
		if all[name] == nil {
			t.Errorf("%s shows %s, which the program does not have", file, name)
		}
	}
	grouped := by.FindAllStringSubmatch(string(board), -1)
	if len(grouped) < 10 {
		t.Errorf("%s groups %d times", file, len(grouped))
	}
	for _, group := range grouped {
		for _, name := range metric.FindAllString(group[2], -1) {
			for _, by := range strings.Split(group[1], ", ") {
				if all[name] != nil && !all[name][by] {
					t.Errorf("%s groups %s by %s, which it does not have", file, name, by)
				}
			}
		}
	}
}

// failing is a subgraph that can be reached at the third try.
type failing struct {
	transport.Transport
	asked int
}

// Send fails twice.
func (f *failing) Send(context.Context, *transport.Request) (*transport.Response, error) {
	if f.asked++; f.asked < 3 {
		return nil, errors.New("connection refused")
	}
	return &transport.Response{Status: http.StatusOK, Body: []byte(`{"data":{"me":{"name":"Ada"}}}`)}, nil
}

func TestTheRoutersDashboardShowsWhatTheRouterExports(t *testing.T) {
	result, errs := compose.Compose([]compose.Subgraph{{Name: "users", SDL: `type Query { me: User } type User { name: String }`}}, compose.Config{})
	if errs != nil {
		t.Fatal(errs)
	}
	seen, err := telemetry.New(telemetry.Config{Metrics: telemetry.Metrics{Path: "/metrics"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := responsecache.New(responsecache.Config{Subgraphs: map[string]responsecache.Subgraph{"users": {}}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := router.Config{
		Hooks:      []router.Hook{answers},
		Supergraph: result.SDL, Transports: map[string]transport.Transport{"users": &failing{}},
		Traffic: map[string]traffic.Config{"users": {Retry: traffic.Retry{Attempts: 2, Delay: time.Microsecond, Budget: 100}}},
		Cost:    cost.Config{Mode: "measure"},
	}
	seen.Watch(&cfg)
	r, err := router.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ me { name } }"}`))
		req.Header.Set("Content-Type", "application/json")
		r.ServeHTTP(httptest.NewRecorder(), req)
	}
	shows(t, "router.json", exported(seen.MetricsHandler()))
}

func TestTheServicesDashboardShowsWhatServicesExport(t *testing.T) {
	services.Install(services.Config{Metrics: true})
	t.Cleanup(func() { services.Install(services.Config{}) })
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	shop, err := orders.New(t.Context(), orders.Config{Database: "sqlite:" + filepath.Join(t.TempDir(), "orders.db"), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	bus := &event.Local{Log: quiet}
	shop.Subscribe(bus)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = shop.Run(ctx, bus) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		_ = shop.Close()
	})
	if _, err := cache.New[int](cache.Config{Name: "products", Alone: true}); err != nil {
		t.Fatal(err)
	}
	// What else services tell, they tell by these.
	now := time.Now()
	services.Requested("orders", now, false)
	services.Resolved("orders", "Query.order", now, false)
	services.Asked("payments", now, false)
	services.Published("agora/orders", 1)
	services.Handled("orders.payments", services.Applied, now)
	for try := 0; ; try++ {
		all := exported(services.Handler())
		if all["event_outbox_unpublished"] != nil || try == 500 { // the relay has begun
			shows(t, "services.json", all)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
