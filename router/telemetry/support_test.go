package telemetry_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/telemetry"
	"github.com/agora-supergraph/agora/router/transport"
)

const (
	link     = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"]) `
	usersSDL = link + `type Query { me(pin: Int): User } type Mutation { login(password: String!): User }
		type User @key(fields: "id") { id: ID! name: String! }`
	reviewsSDL = link + `type User @key(fields: "id") { id: ID! stars: Int }`

	question = `query Me { me { name stars } }`
	answer   = `{"data":{"me":{"name":"Ada","stars":5}}}`
)

// subgraph answers everything alike, and remembers the headers of what it was asked last.
type subgraph struct {
	answer string

	mu sync.Mutex
	// broken makes it fail as often.
	broken int
	header http.Header
}

// ServeHTTP answers.
func (s *subgraph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = r.Header.Clone()
	if s.broken > 0 {
		s.broken--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, s.answer)
}

// watched is a router over users and reviews, with its telemetry and its log.
type watched struct {
	*router.Router
	seen           *telemetry.Telemetry
	users, reviews *subgraph
	log            *output
}

// watch makes one. The telemetry runs until the test, or what it returns, ends it.
func watch(t testing.TB, seen telemetry.Config, cfg router.Config) (*watched, func()) {
	t.Helper()
	result, errs := compose.Compose([]compose.Subgraph{{Name: "users", SDL: usersSDL}, {Name: "reviews", SDL: reviewsSDL}}, compose.Config{})
	if errs != nil {
		t.Fatal(errs)
	}
	const ada = `{"__typename":"User","id":"1","name":"Ada"}`
	w := &watched{
		users: &subgraph{answer: `{"data":{"me":` + ada + `,"login":` + ada + `}}`}, reviews: &subgraph{answer: `{"data":{"_entities":[{"stars":5}]}}`},
		log: new(output),
	}
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if w.seen, err = telemetry.New(seen, log); err != nil {
		t.Fatal(err)
	}
	cfg.Supergraph, cfg.Serve.Logger = result.SDL, log
	cfg.Transports = map[string]transport.Transport{"users": &transport.Handler{Handler: w.users}, "reviews": &transport.Handler{Handler: w.reviews}}
	w.seen.Watch(&cfg)
	if w.Router, err = router.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.seen.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop := func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return w, stop
}

// ask posts a body at the front door. Headers are name, value, ….
func (w *watched) ask(t testing.TB, body string, header ...string) string {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, req)
	return rec.Body.String()
}

// query posts a query, which must be answered well.
func (w *watched) query(t testing.TB, header ...string) {
	t.Helper()
	if got := w.ask(t, fmt.Sprintf(`{"query":%q}`, question), header...); got != answer {
		t.Fatalf("answer = %s, want %s", got, answer)
	}
}

// metrics are what Prometheus would read.
func (w *watched) metrics(t testing.TB) string {
	t.Helper()
	rec := httptest.NewRecorder()
	w.seen.MetricsHandler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

// output is a log that may be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is what has been written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// inbox is a collector of traces.
type inbox struct {
	*httptest.Server
	// gate, if there is one, holds answers back until it is closed.
	gate chan struct{}

	mu     sync.Mutex
	away   bool
	header http.Header
	spans  []*spans.Span
}

func newInbox(t testing.TB, gate chan struct{}) *inbox {
	in := &inbox{gate: gate}
	in.Server = httptest.NewServer(in)
	t.Cleanup(in.Close)
	return in
}

// ServeHTTP takes spans, or does not.
func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req collector.ExportTraceServiceRequest
	unzipped, err := gzip.NewReader(r.Body)
	if err == nil {
		var raw []byte
		if raw, err = io.ReadAll(unzipped); err == nil {
			err = proto.Unmarshal(raw, &req)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if in.gate != nil {
		<-in.gate
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.away {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	in.header = r.Header.Clone()
	for _, resource := range req.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			in.spans = append(in.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// setAway lets the collector go or come back.
func (in *inbox) setAway(away bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.away = away
}

// got is what has come.
func (in *inbox) got() []*spans.Span {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.spans
}
