package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/execute"
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
		body, errors := string(response.Body), response.Errors
		response.Release()
		if len(o.complaints) > 0 {
			t.Fatal(o.complaints)
		}
		if errors == 0 || strings.Count(body, `"price":`) == strings.Count(body, `"price":null`) {
			continue
		}
		if errors != 1 || !strings.Contains(body, "too many values of a context") {
			t.Errorf("errors = %d, want one about the limit: %s", errors, body)
		}
		if !strings.Contains(body, `"price":null`) {
			t.Errorf("want null for the others: %s", body)
		}
		return
	}
	t.Error("no list had values beyond the limit")
}
