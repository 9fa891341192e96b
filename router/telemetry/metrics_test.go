package telemetry_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth/apikey"
	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/persisted/store"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/telemetry"
	"github.com/agora-supergraph/agora/router/traffic"
)

var update = flag.Bool("update", false, "write testdata/metrics.txt anew")

// volatile is what differs from one run to the next: numbers that measure.
var volatile = regexp.MustCompile(`^(# HELP|(go|process|promhttp)_|\S+_(bucket|sum)\{)`)

func TestMetricsTellWhatHappenedToAFewRequests(t *testing.T) {
	cfg := telemetry.Config{Metrics: telemetry.Metrics{Path: "/metrics", Operations: []string{"Me"}, Clients: []string{"web"}}}
	w, _ := watch(t, cfg, router.Config{
		Traffic: map[string]traffic.Config{
			"users":   {Retry: traffic.Retry{Attempts: 2, Delay: time.Microsecond, Budget: 100}},
			"reviews": {Breaker: traffic.Breaker{FailurePercent: 50, MinRequests: 4, Open: time.Hour}},
		},
		Cost: cost.Config{Mode: "measure"},
	})
	w.query(t, "Apollographql-Client-Name", "web")
	w.query(t, "Apollographql-Client-Name", "somebody")
	w.users.broken = 1 // and is asked once more
	w.query(t)
	w.ask(t, `{"query":"mutation { login(password: \"p\") { name } }"}`)
	w.ask(t, `{"query":"{ me { shoeSize } }"}`)
	w.ask(t, `{"query":"{ me { stars name } }"}`)             // a shape of its own
	w.ask(t, `{"query":"query Again { me { name stars } }"}`) // a text of its own
	for range 4 {
		w.reviews.broken = 1
		w.ask(t, fmt.Sprintf(`{"query":%q}`, question))
	}
	var lines []string
	for line := range strings.Lines(w.metrics(t)) {
		if !volatile.MatchString(line) && !strings.Contains(line, " go_") && !strings.Contains(line, " process_") && !strings.Contains(line, " promhttp_") {
			lines = append(lines, line)
		}
	}
	got := strings.Join(lines, "")
	golden := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// label are the values that a label of the requests has.
func (w *watched) label(t *testing.T, name string) []string {
	t.Helper()
	var values []string
	for _, match := range regexp.MustCompile(`router_requests_total\{[^}]*\b`+name+`="([^"]*)"`).FindAllStringSubmatch(w.metrics(t), -1) {
		values = append(values, match[1])
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func TestClientsCantMakeUpLabels(t *testing.T) {
	keys, key := apiKey(t, "acme")
	verifier, err := apikey.New(apikey.Config{Store: keys})
	if err != nil {
		t.Fatal(err)
	}
	manifests := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(manifests, []byte(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[
		{"id":"1","name":"Published","type":"query","body":"query Published { me { name } }"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	documents, err := persisted.New(persisted.Config{Manifests: []persisted.Manifest{{Source: store.File{Path: manifests}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := documents.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, _ := watch(t, telemetry.Config{Metrics: telemetry.Metrics{Path: "/metrics", Operations: []string{"Listed"}, Clients: []string{"web"}}}, router.Config{
		Around: documents.Around, Serve: serve.Config{Verifier: verifier, DocumentIDs: &serve.DocumentIDs{}},
	})
	for i := range 50 {
		w.ask(t, fmt.Sprintf(`{"query":"query Made%d { me { name } }"}`, i), "Apollographql-Client-Name", fmt.Sprintf("bot-%d", i))
	}
	w.ask(t, `{"query":"query Listed { me { name } }"}`, "Apollographql-Client-Name", "web")
	w.ask(t, `{"documentId":"1"}`, "X-Api-Key", key)
	w.ask(t, `{"query":"query Acme { me { name } }"}`, "Apollographql-Client-Name", "acme") // says so, and proves nothing
	if diff := cmp.Diff([]string{"Listed", "Published", "other"}, w.label(t, "operation")); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"acme", "other", "web"}, w.label(t, "client")); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if other := regexp.MustCompile(`client="acme"[^}]*operation="(\w+)"`).FindAllStringSubmatch(w.metrics(t), -1); len(other) != 1 || other[0][1] != "Published" {
		t.Errorf("what the client acme has sent by its key: %v", other)
	}
}

// apiKey makes a key of a client.
func apiKey(t *testing.T, client string) (keys apikey.Store, key string) {
	t.Helper()
	key, record := apikey.Make(client, nil, time.Now(), time.Time{})
	keys = apikey.File{Path: filepath.Join(t.TempDir(), "keys.json")}
	if err := keys.Update(t.Context(), func(have []apikey.Record) ([]apikey.Record, error) { return apikey.Add(have, record) }); err != nil {
		t.Fatal(err)
	}
	return keys, key
}
