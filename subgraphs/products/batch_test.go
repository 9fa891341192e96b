package products

import (
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/subgraph/subgraphtest"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
)

func TestABatchOfReferencesIsOneStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 30)
		var products, variants []data
		for i, p := range catalogue.Generate(30) {
			slug, sku := slugOf(p.Name), p.Variants[0].SKU
			if i%2 == 0 { // by both keys at once
				products, variants = append(products, data{"slug": slug}), append(variants, data{"sku": sku})
				continue
			}
			products, variants = append(products, data{"id": id.Derived(id.Product, slug)}), append(variants, data{"id": id.Derived(id.Variant, sku)})
		}
		c := &subgraph.Client{Service: "test", Secret: testSecret, Server: s.server}
		subgraphtest.Batches(t, c, s.queries, map[string]subgraphtest.Batch{
			"Product":        {References: products, Selection: `id name priceRange { min { amount } }`, Statements: 1},
			"ProductVariant": {References: variants, Selection: `id price { amount } options { value }`, Statements: 1},
			"Category":       {References: []data{{"id": categoryID("Novels")}, {"id": categoryID("Hand tools")}}, Selection: `name parent { name } ancestors { slug } children { id }`, Statements: 1},
		})
	})
}
