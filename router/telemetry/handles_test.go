package telemetry

import (
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

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
	for _, name := range []string{"A", "B"} {
		if got := testutil.ToFloat64(m.requests.WithLabelValues("query", "ok", name, "")); got != 400 {
			t.Errorf("%v requests of %s, want 400", got, name)
		}
	}
}
