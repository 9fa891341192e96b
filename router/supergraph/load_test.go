package supergraph_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/agora-supergraph/agora/router/supergraph"
)

func commerce(t testing.TB) *supergraph.Supergraph {
	t.Helper()
	sdl, err := os.ReadFile("testdata/commerce.graphql")
	if err != nil {
		t.Fatal(err)
	}
	sg, err := supergraph.Load(string(sdl))
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

func TestAPISchemaHidesTheMachinery(t *testing.T) {
	sg := commerce(t)
	for name := range sg.API.Types {
		if strings.Contains(strings.TrimPrefix(name, "__"), "__") {
			t.Errorf("API schema has the type %s", name)
		}
	}
	var directives []string
	for _, name := range []string{"skip", "include", "deprecated", "specifiedBy", "oneOf", "defer", "link", "join__field", "cost"} {
		if sg.API.Directives[name] != nil {
			directives = append(directives, name)
		}
	}
	if diff := cmp.Diff([]string{"skip", "include", "deprecated", "specifiedBy", "oneOf", "defer"}, directives); diff != "" {
		t.Errorf("API directives (-want +got):\n%s", diff)
	}
}

func TestOperationsValidateAgainstTheAPISchema(t *testing.T) {
	sg := commerce(t)
	for query, want := range map[string]string{
		`{ me { id cart { lines { lineTotal { amount } } } } __schema { types { name } } }`: "",
		`{ me { nope } }`: `Cannot query field "nope" on type "User".`,
		`{ node(id: 1) { ... on Order { total { amount } } } }`: "",
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			t.Fatal(err)
		}
		errs := validator.ValidateWithRules(sg.API, doc, rules.NewDefaultRules())
		if got := message(errs); got != want {
			t.Errorf("validate(%q) = %q, want %q", query, got, want)
		}
	}
}

func message(errs gqlerror.List) string {
	if len(errs) == 0 {
		return ""
	}
	return errs[0].Message
}

func TestPossibleTypesSpanTheSupergraph(t *testing.T) {
	sg := commerce(t)
	var got []string
	for id := range sg.Possible("Node").All() {
		got = append(got, sg.Objects[id])
	}
	want := []string{"Cart", "Category", "Order", "Payment", "Product", "ProductVariant", "User"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Possible(Node) (-want +got):\n%s", diff)
	}
}

func TestRequirementsAreShared(t *testing.T) {
	sg := commerce(t)
	orders := sg.Requirement("Query", "orders")
	if diff := cmp.Diff(&supergraph.Requirement{Scopes: [][]string{{"orders:read"}}}, orders); diff != "" {
		t.Errorf("Requirement(Query.orders) (-want +got):\n%s", diff)
	}
	if a, b := sg.Requirement("User", "cart"), sg.Requirement("Query", "order"); a == nil || a != b {
		t.Errorf("Requirement(User.cart) = %p, want the pointer of Query.order, %p", a, b)
	}
	if r := sg.Requirement("User", "id"); r != nil {
		t.Errorf("Requirement(User.id) = %v, want nil", r)
	}
}

func TestSourcesFollowTheJoinDirectives(t *testing.T) {
	sg := commerce(t)
	names := map[string]int{}
	for i, s := range sg.Subgraphs {
		names[s.Name] = i
	}
	due := sg.Type("Order").Field("amountDue")
	s := due.In[names["payments"]]
	if s == nil || s.Requires == nil || s.Requires.Text != "total { minorUnits currency }" || due.In[names["orders"]] != nil {
		t.Errorf("Order.amountDue: source in payments is %+v", s)
	}
	if s := sg.Type("ProductVariant").Field("sku").In[names["orders"]]; s == nil || !s.External {
		t.Errorf("ProductVariant.sku in orders = %+v, want external", s)
	}
	if p := sg.Type("Order").In[names["node"]]; p == nil || p.Resolvable() {
		t.Errorf("Order in node = %+v, want a key that is not resolvable", p)
	}
}
