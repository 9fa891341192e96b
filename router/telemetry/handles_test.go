package telemetry

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

func TestRequestsThatEndAtTheSameTimeAreAllCounted(t *testing.T) {
	m := newMetrics(Metrics{Operations: []string{"A", "B"}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				m.Ended(serve.Record{Status: 200, Duration: time.Millisecond, Operation: serve.Operation{Kind: "query", Name: []string{"A", "B"}[i%2], Cost: 1}})
			}
		})
	}
	wg.Wait()
	rec := httptest.NewRecorder()
	m.handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{
		`router_requests_total{client="",kind="query",operation="A",outcome="ok"} 400`,
		`router_requests_total{client="",kind="query",operation="B",outcome="ok"} 400`,
		`router_request_duration_seconds_count{kind="query",outcome="ok"} 800`, `router_operation_cost_count{kind="query"} 800`,
	} {
		if !strings.Contains(rec.Body.String(), want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}
