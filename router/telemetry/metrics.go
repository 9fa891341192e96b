package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/traffic"
)

// metrics are all that Prometheus can read, in a registry of their own. They are a serve.Observer.
type metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	errors      *prometheus.CounterVec
	cost        *prometheus.HistogramVec
	overhead    *prometheus.HistogramVec
	fetches     *prometheus.HistogramVec
	fetchErrors *prometheus.CounterVec
	repeated    *prometheus.CounterVec
	breakers    *prometheus.GaugeVec
	caches      *prometheus.CounterVec
	steps       *prometheus.HistogramVec
	bytes       *prometheus.CounterVec
	inFlight    prometheus.Gauge
	streams     prometheus.Gauge
	connections prometheus.Gauge

	// Of the cache of subgraphs' answers.
	lookups, parts, stored, invalidations *prometheus.CounterVec
	held                                  prometheus.Gauge

	operations, clients, codes *names

	// These are the members of the vectors above that requests count in.
	ended     *handles[ending, answered]
	costs     *handles[string, prometheus.Observer]
	overheads *handles[string, prometheus.Observer]
	fetched   *handles[fetching, prometheus.Observer]
	lookedFor *handles[finding, []prometheus.Counter]

	received, sent prometheus.Counter
}

// ending are the labels of a request that has ended, answered its metrics.
type (
	ending   struct{ kind, outcome, operation, client string }
	answered struct {
		requests prometheus.Counter
		duration prometheus.Observer
	}
)

// fetching are the labels of a request to a subgraph.
type fetching struct{ subgraph, outcome string }

// finding says what of an operation had to be made, since it was in no cache.
type finding struct{ parsed, planned, built bool }

// buckets are the bounds of times, in seconds: what a router itself takes is at the lower end, what subgraphs take above.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics(cfg Metrics) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		registry:      prometheus.NewRegistry(),
		requests:      counter("router_requests_total", "GraphQL requests that were answered, over HTTP or WebSocket.", "kind", "outcome", "operation", "client"),
		durations:     histogram("router_request_duration_seconds", "What requests took, from the first byte read to the last one written.", buckets, "kind", "outcome"),
		errors:        counter("router_errors_total", "Requests whose answer has an error, by the code of the first one.", "code"),
		cost:          histogram("router_operation_cost", "What operations were estimated to cost.", prometheus.ExponentialBuckets(1, 4, 10), "kind"),
		overhead:      histogram("router_overhead_seconds", "What operations took without the time in which subgraphs were waited for.", buckets, "kind"),
		fetches:       histogram("router_fetch_duration_seconds", "What requests to subgraphs took.", buckets, "subgraph", "outcome"),
		fetchErrors:   counter("router_fetch_errors_total", "Errors that answers got by requests to a subgraph.", "subgraph"),
		repeated:      counter("router_fetch_repeats_total", "Requests to subgraphs that were sent once more: retries and hedges.", "subgraph", "kind"),
		breakers:      prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "router_breaker_state", Help: "The circuit breaker of a subgraph: 0 closed, 1 half-open, 2 open."}, []string{"subgraph"}),
		caches:        counter("router_cache_requests_total", "What was looked for in the router's caches: parsed documents, plans of operations, plans of shapes.", "cache", "result"),
		steps:         histogram("router_prepare_duration_seconds", "What it took to parse, normalise and plan operations that were in no cache.", buckets, "step"),
		bytes:         counter("router_bytes_total", "Bytes of the bodies of requests and answers.", "direction"),
		inFlight:      gauge("router_requests_in_flight", "Requests that are being answered, streams included."),
		streams:       gauge("router_streams", "Streams that are open: subscriptions over HTTP, and WebSockets."),
		connections:   gauge("router_connections", "Connections of clients that are open, but for WebSockets."),
		lookups:       counter("router_response_cache_lookups_total", "Queries to subgraphs that were looked for in the cache of answers: found whole, in part, not at all, or not looked for after a mutation of the client.", "subgraph", "result"),
		parts:         counter("router_response_cache_parts_total", "Entities, or root fields of a query together, that were looked for in the cache of answers.", "subgraph", "result"),
		stored:        counter("router_response_cache_stored_bytes_total", "Bytes of answers that were put into the cache.", "subgraph"),
		invalidations: counter("router_response_cache_invalidations_total", "Types, entities and tags of which what was in the cache of answers has been ended.", "subgraph"),
		held:          gauge("router_response_cache_bytes", "Bytes that the cache of answers holds in the process."),
		operations:    newNames(cfg.Operations, 500), clients: newNames(cfg.Clients, 200), codes: newNames(nil, 200),
	}
	m.prepareHandles()
	m.registry.MustRegister(m.requests, m.durations, m.errors, m.cost, m.overhead, m.fetches, m.fetchErrors, m.repeated, m.breakers, m.caches, m.steps,
		m.bytes, m.inFlight, m.streams, m.connections, m.lookups, m.parts, m.stored, m.invalidations, m.held,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return m
}

func (m *metrics) prepareHandles() {
	m.ended = newHandles(func(l ending) answered {
		a := answered{requests: m.requests.WithLabelValues(l.kind, l.outcome, l.operation, l.client)}
		if l.kind != "subscription" {
			a.duration = m.durations.WithLabelValues(l.kind, l.outcome)
		}
		return a
	})
	m.costs = newHandles(func(kind string) prometheus.Observer { return m.cost.WithLabelValues(kind) })
	m.overheads = newHandles(func(kind string) prometheus.Observer { return m.overhead.WithLabelValues(kind) })
	m.fetched = newHandles(func(l fetching) prometheus.Observer { return m.fetches.WithLabelValues(l.subgraph, l.outcome) })
	m.lookedFor = newHandles(func(f finding) []prometheus.Counter {
		list := []prometheus.Counter{m.caches.WithLabelValues("document", result(f.parsed)), m.caches.WithLabelValues("plan", result(f.planned))}
		if f.planned && !f.built {
			list = append(list, m.caches.WithLabelValues("shape", "hit"))
		}
		return list
	})
	m.received, m.sent = m.bytes.WithLabelValues("received"), m.bytes.WithLabelValues("sent")
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
}

// Began counts a request in.
func (m *metrics) Began() { m.inFlight.Inc() }

// Connected counts connections.
func (m *metrics) Connected(change int) { m.connections.Add(float64(change)) }

// Streaming counts streams.
func (m *metrics) Streaming(change int) { m.streams.Add(float64(change)) }

// Ended counts a request out. Probes, pages and the handshakes of WebSockets are no GraphQL requests.
func (m *metrics) Ended(r serve.Record) {
	m.inFlight.Dec()
	if r.Quiet || r.Operation.Kind == "websocket" || r.Operation.Kind == "" && r.Operation.Code == "" {
		return
	}
	kind, how := r.Operation.Kind, outcome(r)
	if kind == "" {
		kind = "unknown"
	}
	counted := m.ended.of(ending{kind, how, m.operation(r), m.client(r)})
	counted.requests.Inc()
	if counted.duration != nil {
		observe(counted.duration, r.Duration, r.Operation.Trace)
	}
	if r.Operation.Code != "" {
		m.errors.WithLabelValues(m.codes.open(r.Operation.Code)).Inc()
	}
	if r.Operation.Cost > 0 {
		m.costs.of(kind).Observe(r.Operation.Cost)
	}
	m.received.Add(float64(max(0, r.Received)))
	m.sent.Add(float64(r.Sent))
}

// observe takes a time into a histogram, with the trace as its example if there is one.
func observe(h prometheus.Observer, took time.Duration, traceID string) {
	if exemplars, ok := h.(prometheus.ExemplarObserver); ok && traceID != "" {
		exemplars.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": traceID})
		return
	}
	h.Observe(took.Seconds())
}

// outcome says in a word how a request ended.
func outcome(r serve.Record) string {
	switch {
	case r.Status == 499:
		return "gone"
	case r.Status >= 500:
		return "failed"
	case r.Status >= 400:
		return "refused"
	case r.Operation.Code != "":
		return "errors"
	}
	return "ok"
}

// operation is the name of an operation that somebody has listed, or has published as a persisted document.
func (m *metrics) operation(r serve.Record) string {
	if r.Published {
		return m.operations.open(r.Operation.Name)
	}
	return m.operations.closed(r.Operation.Name)
}

func (m *metrics) client(r serve.Record) string {
	if r.Proven != "" {
		return m.clients.open(r.Proven)
	}
	return m.clients.closed(r.Client.Name)
}

// countFetch counts a request to a subgraph.
func (m *metrics) countFetch(f execute.Ended) {
	how := "ok"
	switch {
	case f.Err != nil || f.Status == 0:
		how = "failed"
	case f.Errors > 0:
		how = "errors"
	}
	if !f.Done.IsZero() {
		m.fetched.of(fetching{f.Subgraph, how}).Observe(f.Done.Sub(f.Began).Seconds())
	}
	if f.Errors > 0 {
		m.fetchErrors.WithLabelValues(f.Subgraph).Add(float64(f.Errors))
	}
}

// prepared takes what a step took that no cache could spare.
func (m *metrics) prepared(p router.Prepared) {
	m.steps.WithLabelValues(string(p.Step)).Observe(p.Done.Sub(p.Began).Seconds())
	if p.Step == router.Build {
		m.caches.WithLabelValues("shape", "miss").Inc()
	}
}

// found counts what a request that is executed has found in caches.
func (m *metrics) found(parsed, planned, built bool) {
	for _, counter := range m.lookedFor.of(finding{parsed, planned, built}) {
		counter.Inc()
	}
}

func result(missed bool) string {
	if missed {
		return "miss"
	}
	return "hit"
}

// traffic is told what is done for a subgraph.
func (m *metrics) traffic(subgraph string) traffic.Events {
	breaker := m.breakers.WithLabelValues(subgraph)
	return traffic.Events{
		Breaker: func(state traffic.State) { breaker.Set(breakerStates[state.String()]) },
		Repeated: func(hedge bool) {
			kind := "retry"
			if hedge {
				kind = "hedge"
			}
			m.repeated.WithLabelValues(subgraph, kind).Inc()
		},
	}
}

var breakerStates = map[string]float64{"closed": 0, "half-open": 1, "open": 2}
