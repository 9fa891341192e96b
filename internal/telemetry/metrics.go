package telemetry

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are those of all services in the process.
type metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.HistogramVec
	resolvers  *prometheus.HistogramVec
	asked      *prometheus.HistogramVec
	statements *prometheus.HistogramVec
	published  *prometheus.CounterVec
	events     *prometheus.CounterVec
	delays     *prometheus.HistogramVec
	gauges     gauges
}

// buckets are the bounds of times, in seconds.
var buckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 60}

func newMetrics() *metrics {
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		requests:   histogram("subgraph_request_duration_seconds", "What requests to a subgraph took, by whether their answer has errors.", "subgraph", "outcome"),
		resolvers:  histogram("subgraph_resolver_duration_seconds", "What resolvers took, by their field.", "subgraph", "field", "outcome"),
		asked:      histogram("subgraph_call_duration_seconds", "What a service's requests to another one took.", "service", "outcome"),
		statements: histogram("database_statement_duration_seconds", "What statements took until their first row.", "database", "verb", "outcome"),
		published:  counter("event_published_total", "Events that the bus has taken.", "source"),
		events:     counter("event_handled_total", "Events that a consumer was handed, by what became of them: applied, failed, dead.", "consumer", "outcome"),
		delays:     histogram("event_delay_seconds", "The time from an event to its effect.", "consumer"),
		gauges:     gauges{read: map[string]gauge{}},
	}
	m.registry.MustRegister(m.requests, m.resolvers, m.asked, m.statements, m.published, m.events, m.delays, &m.gauges,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with the metrics of the process; nil if there are none.
func Handler() http.Handler {
	m := meters.Load()
	if m == nil {
		return nil
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
}

func outcome(failed bool) string {
	if failed {
		return "failed"
	}
	return "ok"
}

// Requested counts a request to a subgraph.
func Requested(subgraph string, began time.Time, failed bool) {
	if m := meters.Load(); m != nil {
		m.requests.WithLabelValues(subgraph, outcome(failed)).Observe(time.Since(began).Seconds())
	}
}

// Resolved counts a field that a resolver has answered.
func Resolved(subgraph, field string, began time.Time, failed bool) {
	if m := meters.Load(); m != nil {
		m.resolvers.WithLabelValues(subgraph, field, outcome(failed)).Observe(time.Since(began).Seconds())
	}
}

// Asked counts a request of a service to another one.
func Asked(service string, began time.Time, failed bool) {
	if m := meters.Load(); m != nil {
		m.asked.WithLabelValues(service, outcome(failed)).Observe(time.Since(began).Seconds())
	}
}

// Stated counts a statement.
func Stated(database, verb string, began time.Time, failed bool) {
	if m := meters.Load(); m != nil {
		m.statements.WithLabelValues(database, verb, outcome(failed)).Observe(time.Since(began).Seconds())
	}
}

// Published counts events that the bus has taken.
func Published(source string, n int) {
	if m := meters.Load(); m != nil && n > 0 {
		m.published.WithLabelValues(source).Add(float64(n))
	}
}

// Handled counts an event that came to a consumer: applied, failed or dead.
func Handled(consumer, outcome string, at time.Time) {
	m := meters.Load()
	if m == nil {
		return
	}
	m.events.WithLabelValues(consumer, outcome).Inc()
	if outcome == Applied {
		m.delays.WithLabelValues(consumer).Observe(time.Since(at).Seconds())
	}
}

// What becomes of an event.
const (
	Applied = "applied"
	Failed  = "failed"
	Dead    = "dead"
)

// gauges are numbers that are read when somebody asks for them.
type gauges struct {
	// mu guards what is read.
	mu   sync.Mutex
	read map[string]gauge
}

type gauge struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	read        func(ctx context.Context) (float64, error)
}

// Count has a number read whenever the metrics are, such as how many of something wait. Of two of one name and owner the
// later one counts. It does nothing without metrics.
func Count(name, help, owner string, read func(ctx context.Context) (int64, error)) {
	add(name, help, owner, prometheus.GaugeValue, func(ctx context.Context) (float64, error) {
		n, err := read(ctx)
		return float64(n), err
	})
}

// Total is Count for a number that only grows, such as how often something has happened.
func Total(name, help, owner string, read func() int64) {
	add(name, help, owner, prometheus.CounterValue, func(context.Context) (float64, error) { return float64(read()), nil })
}

// Age is Count for how old something is, in seconds.
func Age(name, help, owner string, read func(ctx context.Context) (time.Duration, error)) {
	add(name, help, owner, prometheus.GaugeValue, func(ctx context.Context) (float64, error) {
		age, err := read(ctx)
		return age.Seconds(), err
	})
}

func add(name, help, owner string, kind prometheus.ValueType, read func(ctx context.Context) (float64, error)) {
	m := meters.Load()
	if m == nil {
		return
	}
	m.gauges.mu.Lock()
	defer m.gauges.mu.Unlock()
	m.gauges.read[name+" "+owner] = gauge{prometheus.NewDesc(name, help, nil, prometheus.Labels{"owner": owner}), kind, read}
}

// Describe describes nothing: which gauges there are is known later.
func (g *gauges) Describe(chan<- *prometheus.Desc) {}

// readTimeout bounds the reading of all gauges.
const readTimeout = 2 * time.Second

// Collect reads them. What can't be read is left out.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	g.mu.Lock()
	all := make([]gauge, 0, len(g.read))
	for _, each := range g.read {
		all = append(all, each)
	}
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	for _, each := range all {
		if value, err := each.read(ctx); err == nil {
			to <- prometheus.MustNewConstMetric(each.description, each.kind, value)
		}
	}
}
