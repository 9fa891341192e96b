package responsecache_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/agora-supergraph/agora/router/responsecache"
)

// reads are asked by anybody.
var reads = []string{
	lamp, lampStock, stocks, `{ product(id: "2") { id name stock } }`, `{ products { id stock } }`, `{ product(id: "3") { stock } motto }`,
	`{ a: product(id: "1") { stock } b: product(id: "2") { name } c: product(id: "4") { name stock } }`,
	`{ me { id name } }`, `{ product(id: "2") { secret name } me { name } }`, `{ broken product(id: "1") { name } }`,
}

// Whatever is read and written in whatever order, by whomever: nobody can tell that there is a cache.
func TestAnswersAreThoseOfSubgraphs(t *testing.T) {
	for seed := range uint64(8) {
		agree(t, seed, open(t, usual()), open(t, responsecache.Config{}))
	}
}

func agree(t *testing.T, seed uint64, cached, direct *shop) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	for step := range 150 {
		id := fmt.Sprint(1 + r.IntN(4))
		var query string
		switch r.IntN(8) {
		case 0:
			payload := []string{"product { id }", "note", "product { name }", "product { __typename id name }"}[r.IntN(4)]
			query = fmt.Sprintf(`mutation { rename(id: %q, name: "n%d") { %s } }`, id, step, payload)
		case 1:
			query = fmt.Sprintf(`mutation { sell(id: %q) }`, id)
		case 2: // somebody else changes something, and a service tells
			for _, s := range []*shop{cached, direct} {
				s.names[id], s.stock[id] = fmt.Sprint("s", step), step
			}
			key := map[string]json.RawMessage{"id": json.RawMessage(id)}
			if err := cached.cache.Invalidate(t.Context(), responsecache.Target{Kind: "entity", Type: "Product", Key: key}); err != nil {
				t.Fatal(err)
			}
			continue
		default:
			query = reads[r.IntN(len(reads))]
		}
		who := []string{"", "ada", "bob"}[r.IntN(3)]
		language := []string{"de", "en"}[r.IntN(2)]
		var answers [2]string
		for i, s := range []*shop{cached, direct} {
			c := s.anyone()
			if who != "" {
				c = s.user(who)
			}
			c.header.Set("Accept-Language", language)
			answers[i], _ = c.ask(query)
		}
		if answers[0] != answers[1] {
			t.Fatalf("seed %d, step %d, %q: %s\n  cached %s\n  direct %s", seed, step, who, query, answers[0], answers[1])
		}
	}
	if c, d := len(cached.requests()), len(direct.requests()); c >= d {
		t.Errorf("seed %d: %d requests with a cache, %d without", seed, c, d)
	}
}
