package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/telemetry"
)

// remembered is a configuration whose spans are kept in memory.
func remembered() (telemetry.Config, *tracetest.InMemoryExporter) {
	memory := tracetest.NewInMemoryExporter()
	return telemetry.Config{Tracing: telemetry.Tracing{Provider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(memory))}}, memory
}

func TestATraceGoesFromTheCallerThroughEachFetchToItsSubgraph(t *testing.T) {
	cfg, memory := remembered()
	w, _ := watch(t, cfg, router.Config{})
	w.query(t, "Traceparent", "00-"+lowID+"-00f067aa0ba902b7-01")
	byName := map[string]tracetest.SpanStub{}
	for _, span := range memory.GetSpans() {
		byName[span.Name] = span
		if id := span.SpanContext.TraceID().String(); id != lowID {
			t.Errorf("%s is of the trace %s", span.Name, id)
		}
	}
	query := byName["query"]
	if parent := query.Parent.SpanID().String(); parent != "00f067aa0ba902b7" {
		t.Errorf("the parent of the operation is %s, want the caller's span", parent)
	}
	for _, name := range []string{"parse", "normalise", "build", "fetch users", "fetch reviews"} {
		if span, ok := byName[name]; !ok || span.Parent.SpanID() != query.SpanContext.SpanID() {
			t.Errorf("%q is no child of the operation: %v", name, span)
		}
	}
	for name, s := range map[string]*subgraph{"fetch users": w.users, "fetch reviews": w.reviews} {
		want := "00-" + lowID + "-" + byName[name].SpanContext.SpanID().String() + "-01"
		if got := s.header.Get("Traceparent"); got != want {
			t.Errorf("%s was told %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(w.log.String(), `"trace":"`+lowID+`"`) {
		t.Errorf("the access log does not name the trace:\n%s", w.log)
	}
	memory.Reset()
	w.query(t)
	for _, span := range memory.GetSpans() {
		if slices.Contains([]string{"parse", "normalise", "build"}, span.Name) {
			t.Errorf("%s again, though the operation is in the cache", span.Name)
		}
		if span.SpanContext.TraceID().String() == lowID {
			t.Error("a request without a traceparent is a part of another one's trace")
		}
	}
}

func TestWithoutTracesSubgraphsAreToldOfNone(t *testing.T) {
	w, _ := watch(t, telemetry.Config{Metrics: telemetry.Metrics{Path: "/metrics"}}, router.Config{})
	w.query(t, "Traceparent", "00-"+lowID+"-00f067aa0ba902b7-01")
	if got := w.users.header.Get("Traceparent"); got != "" {
		t.Errorf("the subgraph was told %q", got)
	}
}

func TestASlowOperationIsLoggedWithItsPlanAndWhenEachFetchWasUnderWay(t *testing.T) {
	w, _ := watch(t, telemetry.Config{SlowOperations: 1}, router.Config{})
	w.query(t, "X-Request-Id", "the-slow-one")
	var line struct {
		Msg, Level, ID, Operation, Kind, Plan string
		Duration, Subgraphs                   int64
		First                                 *fetchLine `json:"fetch.0"`
		Second                                *fetchLine `json:"fetch.1"`
	}
	for each := range strings.Lines(w.log.String()) {
		if strings.Contains(each, "slow operation") {
			if err := json.Unmarshal([]byte(each), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line.Level != "WARN" || line.ID != "the-slow-one" || line.Operation != "Me" || line.Kind != "query" {
		t.Fatalf("line = %+v in\n%s", line, w.log)
	}
	for _, part := range []string{"QueryPlan", `Fetch(service: "users")`, `Flatten(path: "me")`, `Fetch(service: "reviews")`} {
		if !strings.Contains(line.Plan, part) {
			t.Errorf("the plan has no %s:\n%s", part, line.Plan)
		}
	}
	if line.First == nil || line.Second == nil {
		t.Fatalf("no fetches in\n%s", w.log)
	}
	if line.First.Subgraph != "users" || line.Second.Subgraph != "reviews" || line.Second.Representations != 1 || line.First.Received == 0 {
		t.Errorf("fetches = %+v, %+v", line.First, line.Second)
	}
	if line.First.Began > line.First.Ended || line.First.Ended > line.Second.Began || line.Second.Ended > line.Duration || line.Subgraphs > line.Duration {
		t.Errorf("impossible times: %+v, %+v of %d", line.First, line.Second, line.Duration)
	}
}

type fetchLine struct {
	Subgraph                            string
	Began, Ended                        int64
	Representations, Received, ID, Sent int
}

func TestAnOperationThatIsNotSlowIsNotLoggedAsSuch(t *testing.T) {
	w, _ := watch(t, telemetry.Config{SlowOperations: 10 * 60 * 1e9}, router.Config{})
	w.query(t)
	if strings.Contains(w.log.String(), "slow operation") {
		t.Errorf("log:\n%s", w.log)
	}
}

func TestSecretsAreInNoSpanMetricOrLog(t *testing.T) {
	const secret = "hunter2hunter2"
	cfg, memory := remembered()
	cfg.SlowOperations, cfg.Metrics = 1, telemetry.Metrics{Path: "/metrics"}
	w, _ := watch(t, cfg, router.Config{})
	headers := []string{
		"Authorization", "Bearer " + secret, "Cookie", "session=" + secret, "X-Api-Key", secret, "Tracestate", "",
	}
	for _, body := range []string{
		`{"query":"mutation Login($p: String!) { login(password: $p) { name stars } }","variables":{"p":"` + secret + `"}}`,
		`{"query":"mutation { login(password: \"` + secret + `\") { name stars } }"}`,
		// Refused, with messages that tell the client what was wrong with its value.
		`{"query":"{ me(pin: \"` + secret + `\") { name } }"}`,
		`{"query":"mutation { login(password: ` + secret + `) { name } }"}`,
		`{"query":"query ($p: Int) { me(pin: $p) { name } }","variables":{"p":"` + secret + `"}}`,
		`{"query":"{ me(pin: \"` + secret + `"}`,
	} {
		w.ask(t, body, headers...)
	}
	for _, answer := range []string{
		`{"errors":[{"message":"no account with the password ` + secret + `"}],"data":null}`,
		secret, `"` + secret + `"`, `{"data":"` + secret + `"}`, `{"data":{"login":"` + secret + `"}}`,
	} {
		w.users.answer = answer
		w.ask(t, `{"query":"mutation Login($p: String!) { login(password: $p) { name } }","variables":{"p":"`+secret+`"}}`, headers...)
	}
	if len(memory.GetSpans()) < 10 || !strings.Contains(w.log.String(), "slow operation") {
		t.Fatalf("%d spans, log:\n%s", len(memory.GetSpans()), w.log)
	}
	for _, span := range memory.GetSpans() {
		if strings.Contains(fmt.Sprintf("%+v", span), secret) {
			t.Errorf("the span %s tells: %v %v %v", span.Name, span.Status, span.Attributes, span.Events)
		}
	}
	for what, text := range map[string]string{"metrics": w.metrics(t), "log": w.log.String()} {
		for line := range bytes.Lines([]byte(text)) {
			if bytes.Contains(line, []byte(secret)) {
				t.Errorf("in the %s: %s", what, line)
			}
		}
	}
}
