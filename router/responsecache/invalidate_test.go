package responsecache_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/serve"
)

const (
	lampStock = `{ product(id: "1") { stock } }`
	isTen     = `{"data":{"product":{"stock":10}}}`
)

func TestWhatIsInvalidatedIsAskedAgain(t *testing.T) {
	key := func(id string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"id": json.RawMessage(id)}
	}
	both := []string{"goods product 1", "stock _entities 1"}
	for _, test := range []struct {
		name   string
		target responsecache.Target
		sent   []string
	}{
		{"everything of a subgraph", responsecache.Target{Kind: "subgraph", Subgraph: "stock"}, both[1:]},
		{"a type everywhere", responsecache.Target{Kind: "type", Type: "Product"}, both},
		{"a type of a subgraph", responsecache.Target{Kind: "type", Type: "Product", Subgraph: "stock"}, both[1:]},
		{"root fields", responsecache.Target{Kind: "type", Type: "Query"}, both[:1]},
		{"an entity by its key", responsecache.Target{Kind: "entity", Type: "Product", Key: key(`"1"`)}, both},
		{"an entity by a number for its ID", responsecache.Target{Kind: "entity", Type: "Product", Key: key(`1`), Subgraphs: []string{"stock"}}, both[1:]},
		{"another entity: lists may change", responsecache.Target{Kind: "entity", Type: "Product", Key: key(`"2"`)}, both[:1]},
		{"by what is no key", responsecache.Target{Kind: "entity", Type: "Product", Key: map[string]json.RawMessage{"name": []byte(`"x"`)}}, both},
		{"a tag", responsecache.Target{Kind: "cache_tag", Tag: "all"}, both},
		{"a tag of one subgraph", responsecache.Target{Kind: "cache_tag", Tag: "all", Subgraphs: []string{"goods"}}, both[:1]},
		{"a tag of an entity", responsecache.Target{Kind: "cache_tag", Tag: "first"}, both[1:]},
		{"a tag in the header", responsecache.Target{Kind: "cache_tag", Tag: "h2"}, both},
		{"a tag that nothing has", responsecache.Target{Kind: "cache_tag", Tag: "none"}, nil},
		{"another type", responsecache.Target{Kind: "type", Type: "Customer"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, usual())
			s.header = http.Header{"Cache-Tag": {"h1, h2"}}
			s.extra = map[string]any{"cacheTags": []string{"all"}, "apolloEntityCacheTags": [][]string{{"first"}}, "apolloCacheTags": []string{"root"}}
			c := s.anyone()
			c.expect(t, lampStock, isTen, both...)
			c.expect(t, lampStock, isTen)
			if err := s.cache.Invalidate(t.Context(), test.target); err != nil {
				t.Fatal(err)
			}
			c.expect(t, lampStock, isTen, test.sent...)
			c.expect(t, lampStock, isTen)
		})
	}
}

func TestAMutationEndsWhatItChanges(t *testing.T) {
	s := open(t, usual())
	writer, reader := s.user("ada"), s.anyone()
	reader.expect(t, lamp, isLamp, "goods product 1")
	reader.expect(t, lampStock, isTen, "goods product 1", "stock _entities 1")
	reader.expect(t, `{ motto }`, `{"data":{"motto":"more light"}}`, "goods motto")
	writer.expect(t, rename, renamed, "goods rename 1")
	reader.expect(t, lamp, isLight, "goods product 1")
	reader.expect(t, `{ motto }`, `{"data":{"motto":"more light"}}`)

	// The answer shows no product: any may have changed.
	writer.expect(t, `mutation { rename(id: "1", name: "Lamp") { note } }`, `{"data":{"rename":{"note":"done"}}}`, "goods rename 1")
	reader.expect(t, lamp, isLamp, "goods product 1")

	// The payload shows no product, but the configuration says that products change.
	reader.expect(t, lampStock, isTen, "goods product 1", "stock _entities 1")
	writer.expect(t, `mutation { sell(id: "1") }`, `{"data":{"sell":true}}`, "goods sell 1")
	reader.expect(t, lampStock, `{"data":{"product":{"stock":9}}}`, "goods product 1", "stock _entities 1")

	// The subgraph itself says what has changed.
	s.extra = map[string]any{"cacheInvalidations": []any{map[string]any{"kind": "type", "type": "Query", "subgraph": "goods"}}}
	reader.expect(t, `{ motto }`, `{"data":{"motto":"more light"}}`)
	writer.expect(t, rename, renamed, "goods rename 1")
	s.extra = nil
	reader.expect(t, `{ motto }`, `{"data":{"motto":"more light"}}`, "goods motto")
}

func TestAnAnswerThatWasUnderWayIsNotKeptBeyondAnInvalidation(t *testing.T) {
	s := open(t, usual())
	began, wait := s.holdAnswers()
	done := make(chan string)
	go func() {
		got, _ := s.anyone().ask(lamp)
		done <- got
	}()
	<-began
	s.answerAtOnce()
	s.anyone().expect(t, rename, renamed, "goods rename 1")
	close(wait)
	if got := <-done; got != isLamp {
		t.Errorf("got %s", got)
	}
	s.anyone().expect(t, lamp, isLight, "goods product 1")
}

func TestOfManyWhoMissTheSameOneAsks(t *testing.T) {
	s := open(t, usual())
	began, wait := s.holdAnswers()
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			if got, _ := s.anyone().ask(lamp); got != isLamp {
				t.Errorf("got %s", got)
			}
		})
	}
	<-began
	s.answerAtOnce()
	close(wait)
	clients.Wait()
	if sent := s.requests(); len(sent) != 1 {
		t.Errorf("sent %q", sent)
	}
}

func TestWhoWaitsForAnotherOneGoesOnWhenThatOneGoes(t *testing.T) {
	s := open(t, usual())
	began, wait := s.holdAnswers()
	ctx, leave := context.WithCancel(t.Context())
	first, second := make(chan struct{}), make(chan string)
	go func() {
		defer close(first)
		s.Execute(ctx, &serve.Request{Query: lamp, ID: "r"}).Release()
	}()
	<-began
	s.answerAtOnce()
	go func() {
		got, _ := s.anyone().ask(lamp)
		second <- got
	}()
	leave()
	<-first
	if got := <-second; got != isLamp {
		t.Errorf("got %s", got)
	}
	close(wait)
}

func TestServicesInvalidateOverHTTP(t *testing.T) {
	s := open(t, usual())
	endpoint := s.cache.Pages()["/cache/invalidate"]
	c := s.anyone()
	c.expect(t, lamp, isLamp, "goods product 1")
	const target = `[{"kind":"entity","type":"Product","key":{"id":"1"}}]`
	for _, test := range []struct {
		name, method, token, body string
		status                    int
	}{
		{"without a token", "POST", "", target, 401},
		{"with a wrong one", "POST", "Bearer a token that is long enougH", target, 401},
		{"by GET", "GET", "Bearer a token that is long enough", "", 405},
		{"what is no JSON", "POST", "Bearer a token that is long enough", `x`, 400},
		{"of no kind", "POST", "Bearer a token that is long enough", `[{"kind":"moon"}]`, 400},
		{"without a key", "POST", "Bearer a token that is long enough", `[{"kind":"entity","type":"Product"}]`, 400},
		{"with a name that is not known", "POST", "Bearer a token that is long enough", `[{"kind":"type","typ":"Product"}]`, 400},
		{"too much", "POST", "Bearer a token that is long enough", "[" + strings.Repeat(" ", 2<<20) + "]", 400},
	} {
		r := httptest.NewRequest(test.method, "/cache/invalidate", strings.NewReader(test.body))
		r.Header.Set("Authorization", test.token)
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, w.Code, w.Body, test.status)
		}
	}
	c.expect(t, lamp, isLamp)
	r := httptest.NewRequest("POST", "/cache/invalidate", strings.NewReader(target))
	r.Header.Set("Authorization", "Bearer a token that is long enough")
	w := httptest.NewRecorder()
	endpoint.ServeHTTP(w, r)
	if w.Code != 202 || w.Body.String() != "{\"invalidated\":1}\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	c.expect(t, lamp, isLamp, "goods product 1")
}
