package products

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
)

// shop is a service under test.
type shop struct {
	*Service
	testing.TB
	server  *subgraph.Server
	queries *atomic.Int64
}

var testSecret = []byte("0123456789abcdef0123456789abcdef")

// open opens a service with the first n products of the catalogue.
func open(t testing.TB, url string, n int) shop {
	t.Helper()
	s, err := New(t.Context(), Config{Database: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.fill(t.Context(), catalogue.Generate(max(n, 1)), nil); err != nil {
		t.Fatal(err)
	}
	queries := databasetest.CountReads(t, s.db, url)
	server := subgraph.New(subgraph.Config{Name: "products", Schema: s.Schema(), Verifier: &identity.Verifier{Secret: testSecret}})
	return shop{s, t, server, queries}
}

// data is a JSON object.
type data = map[string]any

// ask sends an operation as somebody with some scopes, and returns the response.
func (s shop) ask(query string, variables data, scopes ...string) data {
	s.Helper()
	header := http.Header{}
	if len(scopes) > 0 {
		token, err := identity.ServiceToken(testSecret, "test", scopes...)
		if err != nil {
			s.Fatal(err)
		}
		header.Set("Authorization", "Bearer "+token)
	}
	vars, err := json.Marshal(variables)
	if err != nil {
		s.Fatal(err)
	}
	var out data
	if err := json.Unmarshal(s.server.Serve(context.Background(), &subgraph.Request{Query: query, Variables: vars, Header: header}), &out); err != nil {
		s.Fatal(err)
	}
	return out
}

// get is ask for what must have no errors; it returns the data.
func (s shop) get(query string, variables data, scopes ...string) data {
	s.Helper()
	out := s.ask(query, variables, scopes...)
	if out["errors"] != nil {
		s.Fatalf("%s\n%v", query, out["errors"])
	}
	return out["data"].(data)
}

// code is the code of the first error of a response, or "".
func code(response data) string {
	errs, _ := response["errors"].([]any)
	if len(errs) == 0 {
		return ""
	}
	extensions, _ := errs[0].(data)["extensions"].(data)
	c, _ := extensions["code"].(string)
	return c
}

// dig follows a path of keys into data.
func dig(v any, path string) any {
	for _, key := range strings.Split(path, ".") {
		object, ok := v.(data)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

// names are the names of the products of a connection.
func names(connection any) []string {
	names := []string{}
	for _, edge := range connection.(data)["edges"].([]any) {
		names = append(names, dig(edge, "node.name").(string))
	}
	return names
}

func TestSeedFillsAnEmptyCatalogueOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, err := New(t.Context(), Config{Database: url})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		total := 0
		begun := time.Now()
		if err := s.Seed(t.Context(), func(_, n int) { total = n }); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d products in %v", total, time.Since(begun))
		first, err := s.VariantIDs(t.Context())
		if err != nil || len(first) < 950 {
			t.Fatalf("%d variants, want 950 at least (%v)", len(first), err)
		}
		if err := s.Seed(t.Context(), func(_, _ int) { t.Error("the second Seed stores products") }); err != nil {
			t.Fatal(err)
		}
		again, err := s.VariantIDs(t.Context())
		if err != nil || len(again) != len(first) {
			t.Errorf("%d variants after the second Seed, want %d (%v)", len(again), len(first), err)
		}
		var events int
		if err := s.db.Read.GetContext(t.Context(), &events, `SELECT COUNT(*) FROM outbox WHERE type = 'agora.products.variant.created.v1'`); err != nil || events != len(first) {
			t.Errorf("%d events tell of %d variants (%v)", events, len(first), err)
		}
	})
}

func TestSeedFinishesWhatAnInterruptedOneBegan(t *testing.T) {
	s := open(t, databasetest.SQLite(t), 150)
	if err := s.Seed(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.db.Read.Get(&n, `SELECT COUNT(*) FROM product`); err != nil || n != len(catalogue.Products()) {
		t.Errorf("%d products, want %d (%v)", n, len(catalogue.Products()), err)
	}
}

func TestTheShowcaseProductCanBeReliedOn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, len(catalogue.Products()))
		got := s.get(`{ product(slug: "meridian-pour-over-kettle") { id name status category { name ancestors { name } } priceRange { min { amount currency } max { amount } } variants { id sku name options { name value } price { amount } weightGrams product { slug } } version } }`, nil)
		raw, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "showcase.json", raw)
	})
}
