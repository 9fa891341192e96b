package plan_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/plan"
)

func TestExplainSaysWhyEachFetchIsThere(t *testing.T) {
	sg := load(t, "../supergraph/testdata/commerce.graphql")
	op := normalise(t, sg, `{ order(id: "1") { status amountDue { amount } } }`)
	p, err := plan.Build(context.Background(), sg, op, plan.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := plan.Explanation{
		Operation: "query", Requests: 2, Depth: 2,
		Fetches: []plan.ExplainedFetch{
			{
				ID: 0, Subgraph: "orders", DependsOn: []int{}, Variables: []string{"_0"}, Reasons: []string{"order"},
				Query: `query($_0:ID){order(id:$_0){status total{minorUnits currency}id}}`,
			},
			{
				ID: 1, Subgraph: "payments", DependsOn: []int{0},
				Query: `query($r:[_Any!]!){_entities(representations:$r){...on Order{amountDue{amount}}}}`,
				Entities: []plan.ExplainedEntities{{
					Paths: []string{"order"}, Representations: []string{"Order { id total { minorUnits currency } }"},
				}},
				Reasons: []string{`amountDue of order; sends the requires "total { minorUnits currency }"`},
			},
		},
	}
	if diff := cmp.Diff(want, p.Explain()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTooManyRequestsAreRefused(t *testing.T) {
	sg := load(t, "../supergraph/testdata/commerce.graphql")
	op := normalise(t, sg, `{ order(id: "1") { status amountDue { amount } } }`)
	_, err := plan.Build(context.Background(), sg, op, plan.Config{MaxFetches: 1})
	var e *plan.Error
	if !errors.As(err, &e) {
		t.Fatalf("Build = %v, want an *Error", err)
	}
	if want := "cannot plan Query: it takes 2 requests, which is more than the limit"; e.Error() != want {
		t.Errorf("Build = %q, want %q", e.Error(), want)
	}
}

func TestPlanningStopsWhenCancelled(t *testing.T) {
	sg := load(t, "../supergraph/testdata/commerce.graphql")
	op := normalise(t, sg, `{ order(id: "1") { status } }`)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := plan.Build(ctx, sg, op, plan.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Build = %v, want %v", err, context.Canceled)
	}
}
