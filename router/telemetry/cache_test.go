package telemetry_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/telemetry"
)

func TestHitsMissesAndInvalidationsAreMetrics(t *testing.T) {
	cache, err := responsecache.New(responsecache.Config{Subgraphs: map[string]responsecache.Subgraph{"reviews": {MaxAge: time.Minute}}})
	if err != nil {
		t.Fatal(err)
	}
	w, _ := watch(t, telemetry.Config{Metrics: telemetry.Metrics{Path: "/metrics"}}, router.Config{Hooks: []router.Hook{cache}})
	w.query(t)
	w.query(t)
	w.query(t)
	w.ask(t, `{"query":"mutation { login(password: \"p\") { name } }"}`)
	if err := cache.Invalidate(t.Context(), responsecache.Target{Kind: "subgraph", Subgraph: "reviews"}); err != nil {
		t.Fatal(err)
	}
	w.query(t)
	var got []string
	for line := range strings.Lines(w.metrics(t)) {
		if strings.HasPrefix(line, "router_response_cache_") && !strings.HasSuffix(line, " 0\n") {
			got = append(got, regexp.MustCompile(`bytes(\S*) \d+`).ReplaceAllString(strings.TrimSpace(line), "bytes$1 some"))
		}
	}
	want := []string{
		"router_response_cache_bytes some",
		`router_response_cache_invalidations_total{subgraph="reviews"} 2`,
		`router_response_cache_lookups_total{result="hit",subgraph="reviews"} 2`,
		`router_response_cache_lookups_total{result="miss",subgraph="reviews"} 2`,
		`router_response_cache_parts_total{result="hit",subgraph="reviews"} 2`,
		`router_response_cache_parts_total{result="miss",subgraph="reviews"} 2`,
		`router_response_cache_stored_bytes_total{subgraph="reviews"} some`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}
