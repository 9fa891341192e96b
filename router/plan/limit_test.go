package plan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

func TestObjectsBeyondTheLimitOfContextValuesAreAnError(t *testing.T) {
	g := readGolden(t, "testdata/context_values.txtar")
	o := newOracle(g.sg, ownSchemas(t, g), nil)
	o.executor = execute.New(execute.Config{Transports: []transport.Transport{o.services[0], o.services[1]}, MaxContexts: 1})
	// The argument decides which shops there are: some list has several with items, and with different codes.
	for n := range 100 {
		p, values, d := o.plan(request{query: fmt.Sprintf("{ stores(n: %d) { items(n: %d) { price title } } }", n, n%7), variables: `{}`})
		if d != nil {
			t.Fatal(d.detail)
		}
		response := o.executor.Execute(context.Background(), p, &execute.Request{Variables: values})
		body, failed := string(response.Body), response.Errors
		response.Release()
		if len(o.complaints) > 0 {
			t.Fatal(o.complaints)
		}
		if failed == 0 || strings.Count(body, `"price":`) == strings.Count(body, `"price":null`) {
			continue
		}
		if failed != 1 || !strings.Contains(body, "too many values of a context") {
			t.Errorf("errors = %d, want one about the limit: %s", failed, body)
		}
		if !strings.Contains(body, `"price":null`) {
			t.Errorf("want null for the others: %s", body)
		}
		return
	}
	t.Error("no list had values beyond the limit")
}

func TestPlanningThatTakesTooLongIsAClearError(t *testing.T) {
	g := readGolden(t, "testdata/keys.txtar")
	op := normalise(t, g.sg, g.file(g.names[0]+".graphql"))
	_, err := plan.Build(context.Background(), g.sg, op, plan.Config{Timeout: 1})
	if err == nil || !strings.Contains(err.Error(), "longer than the limit of 1ns") {
		t.Errorf("Build within 1 ns = %v, want an error about the limit", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = plan.Build(ctx, g.sg, op, plan.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Build of a cancelled request = %v, want %v", err, context.Canceled)
	}
}

func TestPlansOfMoreRequestsThanTheLimitAreAClearError(t *testing.T) {
	for _, s := range scenarios(t) {
		if s.name != "sharing20/owns" {
			continue
		}
		sg, op := prepare(t, s)
		if _, err := plan.Build(context.Background(), sg, op, plan.Config{MaxFetches: 5}); err == nil || !strings.Contains(err.Error(), "more than the limit") {
			t.Errorf("Build of a plan of 20 requests = %v, want an error about the limit", err)
		}
		if _, err := plan.Build(context.Background(), sg, op, plan.Config{MaxFetches: 40}); err != nil {
			t.Errorf("Build within the limit = %v", err)
		}
	}
}
