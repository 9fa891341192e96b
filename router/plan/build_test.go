package plan_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

func TestEqualOperationsGiveEqualPlans(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		g := readGolden(t, file)
		for _, name := range g.names {
			q := g.file(name + ".graphql")
			first := planText(t, g.sg, q, g.labels)
			for range 3 {
				if diff := cmp.Diff(first, planText(t, g.sg, q, g.labels)); diff != "" {
					t.Errorf("%s: %s (-first +again):\n%s", file, q, diff)
				}
			}
		}
	}
}

func TestWhatACallerMayNotSeeIsNeverFetched(t *testing.T) {
	sg := load(t, "../supergraph/testdata/commerce.graphql")
	doc, errs := operation.Parse(sg, `{ order(id: "1") { number } product(slug: "a") { name variants { stockLevel { onHand } } } }`, operation.Limits{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	selected, err := doc.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	op, err := selected.Normalise(selected.Variant(nil, func(*supergraph.Requirement) bool { return false }))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(context.Background(), sg, op, plan.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range p.Fetches {
		got = append(got, f.Query)
	}
	want := []string{`query($_0:String){product(slug:$_0){name variants{__typename}}}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f := p.Output.Fields[0]; f.Key != "order" || !f.Denied {
		t.Errorf("first field of the output is %q, denied %t; want order, denied", f.Key, f.Denied)
	}
}

func TestVariablesOfTheClientNeverClashWithRepresentations(t *testing.T) {
	sg := load(t, "../supergraph/testdata/commerce.graphql")
	op := normalise(t, sg, `query($r: String!) { product(slug: "a") { variants { shippingEstimate(countryCode: $r) { days } } } }`)
	p, err := plan.Build(context.Background(), sg, op, plan.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := `query($r:String!,$_r:[_Any!]!){_entities(representations:$_r){...on ProductVariant{shippingEstimate(countryCode:$r){days}}}}`
	if got := p.Fetches[len(p.Fetches)-1].Query; got != want {
		t.Errorf("Query = %s, want %s", got, want)
	}
}
