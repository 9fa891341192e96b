package subgraph

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestARepresentationWithAValueOfAnotherTypeIsRefusedByItsPlace(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		directive @key(fields: String!) repeatable on OBJECT
		scalar Int64
		enum Status { OPEN CLOSED }
		type Money { minorUnits: Int64!, currency: String! }
		type Variant { id: ID! }
		type Order @key(fields: "id") { id: ID!, total: Money!, weight: Int, status: Status, variants: [Variant!]! }
		union _Entity = Order
		type Query { order: Order }
	`})
	for name, test := range map[string]struct {
		field string
		value any
		want  string
	}{
		"what is required":           {"total", map[string]any{"minorUnits": "900", "currency": "EUR"}, ""},
		"what could not be found":    {"total", nil, ""},
		"an amount of words":         {"total", map[string]any{"minorUnits": "much", "currency": "EUR"}, "Order.total: minorUnits: it is no Int64"},
		"a value for an object":      {"total", "9 EUR", "Order.total: it is no object"},
		"a fraction for a number":    {"weight", "1.5", "Order.weight: it is no Int"},
		"a value of another enum":    {"status", "AJAR", "Order.status: it is no value of Status"},
		"an object for a list":       {"variants", map[string]any{}, "Order.variants: it is no list"},
		"a bad value in a list":      {"variants", []any{map[string]any{"id": "a"}, 7}, "Order.variants: [1]: it is no object"},
		"an object for a key":        {"id", map[string]any{}, "Order.id: it is no ID"},
		"a field that there is not":  {"colour", 7, ""},
		"a key that is not there":    {"id", nil, `it has no key of Order: want "id"`},
		"a member that there is not": {"total", map[string]any{"colour": 7}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			representation := map[string]any{"__typename": "Order", "id": "ord_1"}
			representation[test.field] = test.value
			err := checkRepresentation(schema, representation)
			if (test.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("checkRepresentation = %v, want %q", err, test.want)
			}
		})
	}
}
