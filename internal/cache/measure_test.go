package cache

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

func TestMetricsTellHowACacheDoes(t *testing.T) {
	telemetry.Install(telemetry.Config{Metrics: true})
	t.Cleanup(func() { telemetry.Install(telemetry.Config{}) })
	d := newTruth(map[string]int64{"a": 1, "b": 2})
	c := opened(t, Config{Alone: true})
	for range 3 {
		if _, err := c.Get(t.Context(), []string{"a", "b"}, d.load); err != nil {
			t.Fatal(err)
		}
	}
	rec := httptest.NewRecorder()
	telemetry.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"# TYPE cache_hits_total counter", `cache_hits_total{owner="numbers"} 4`, `cache_misses_total{owner="numbers"} 2`, `cache_loads_total{owner="numbers"} 1`,
		"# TYPE cache_breaker_open gauge", `cache_breaker_open{owner="numbers"} 0`, `cache_entries{owner="numbers"} 2`,
	} {
		if !strings.Contains(rec.Body.String(), line+"\n") {
			t.Errorf("no %s in\n%s", line, rec.Body)
		}
	}
}
