package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// mirror is a subgraph over HTTP that answers everybody with their own name.
type mirror struct{ asked atomic.Int64 }

// ServeHTTP answers a query, or streams three events.
func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := r.Header.Get("Authorization")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the router has gone
	}
	m.asked.Add(1)
	user := fmt.Sprintf(`{"__typename":"User","id":"1","name":%q}`, who)
	switch text := string(body); {
	case strings.Contains(text, "subscription"):
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = fmt.Fprintf(w, "event: next\ndata: {\"data\":{\"signedIn\":%s}}\n\n", user)
		}
		_, _ = io.WriteString(w, "event: complete\ndata:\n\n")
	case strings.Contains(text, "_entities"):
		writeJSON(w, who, fmt.Sprintf(`{"data":{"_entities":[{"__typename":"User","stars":%d}]}}`, len(who)))
	default:
		writeJSON(w, who, `{"data":{"me":`+user+`}}`)
	}
}

func writeJSON(w http.ResponseWriter, who, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Who", who)
	_, _ = io.WriteString(w, body) // the router has gone if this fails
}

// byName is a Verifier that takes everybody's word.
type byName struct{}

// FromHeader reads the name.
func (byName) FromHeader(_ context.Context, header http.Header) (*auth.Claims, error) {
	return &auth.Claims{Issuer: "https://id.example", Subject: header.Get("Authorization")}, nil
}

// crowded is a router that shares and keeps whatever it may.
func crowded(t *testing.T, m *mirror) *httptest.Server {
	t.Helper()
	subgraph := httptest.NewServer(m)
	t.Cleanup(subgraph.Close)
	cache, err := responsecache.New(responsecache.Config{Subgraphs: map[string]responsecache.Subgraph{
		"users": {MaxAge: time.Minute}, "reviews": {MaxAge: time.Minute, IgnoreHeaders: []string{"Accept-Language"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	over := transport.HTTPConfig{URL: subgraph.URL, Subscriptions: transport.SubscriptionConfig{Protocol: transport.SSE}}
	r, err := router.New(router.Config{
		Supergraph: composed(t), Share: true, ShareRequests: true, Hooks: []router.Hook{cache},
		HTTP: map[string]transport.HTTPConfig{"users": over, "reviews": over},
		Headers: headers.Config{All: headers.Rules{
			Request:  []headers.RequestRule{{Propagate: "Authorization"}, {Propagate: "Accept-Language"}},
			Response: []headers.ResponseRule{{Propagate: "X-Who"}},
		}},
		Serve: serve.Config{Verifier: byName{}, Batching: serve.Batching{Enabled: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		server.Close()
		_ = r.Close()
	})
	return server
}

// visit asks as somebody, and says what is not theirs in the answer.
func visit(url, who, language string, n int) error {
	body, accept := `{"query":"{ me { name stars } }"}`, "application/json"
	want := fmt.Sprintf(`{"data":{"me":{"name":"%s","stars":%d}}}`, who, len(who))
	switch n % 4 {
	case 1:
		body, want = "["+body+","+body+"]", "["+want+","+want+"]"
	case 2:
		event := fmt.Sprintf("event: next\ndata: {\"data\":{\"signedIn\":{\"name\":%q,\"stars\":%d}}}\n\n", who, len(who))
		body, accept, want = `{"query":"subscription { signedIn { name stars } }"}`, "text/event-stream", event
	}
	req, err := http.NewRequest("POST", url+"/graphql", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {accept}, "Authorization": {who}, "Accept-Language": {language}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	// Who comes late to a stream that is shared misses its beginning.
	if text := string(got); n%4 == 2 {
		text = strings.NewReplacer(want, "", ":\n\n", "", "event: complete\ndata: \n\n", "").Replace(text)
		if text != "" {
			return fmt.Errorf("%s hears %s", who, got)
		}
	} else if text != want {
		return fmt.Errorf("%s gets %s", who, got)
	}
	for _, other := range resp.Header["X-Who"] {
		if other != who {
			return fmt.Errorf("%s gets the header of %s", who, other)
		}
	}
	return nil
}

func TestTwoIdentitiesSideBySideNeverSeeEachOthersData(t *testing.T) {
	m := new(mirror)
	server := crowded(t, m)
	const clients, visits = 16, 60
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			who := []string{"ada", "barbara"}[i%2]
			for n := range visits {
				// The language changes what is shared and kept, again and again.
				if err := visit(server.URL, who, fmt.Sprint(n/10), n+i/4); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	// Each visit asks twice, some four times.
	if n := m.asked.Load(); n > clients*visits {
		t.Errorf("the subgraphs were asked %d times: nothing is shared", n)
	} else {
		t.Logf("%d visits asked the subgraphs %d times", clients*visits, n)
	}
}
