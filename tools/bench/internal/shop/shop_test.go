package shop

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServicesAnswerWhatRoutersSend(t *testing.T) {
	for _, test := range []struct{ name, service, body, want string }{
		{"a root field with an alias and a fragment", "accounts", `{"query":"{u:user(id:\"2\"){...F}} fragment F on User{id __typename}"}`, `{"data":{"u":{"id":"2","__typename":"User"}}}`},
		{"an unknown user is null", "accounts", `{"query":"query($id:ID!){user(id:$id){id}}","variables":{"id":"4711"}}`, `{"data":{"user":null}}`},
		{"entities in order, unknown ones null, aliased", "products", `{"query":"query($r:[_Any!]!){e0:_entities(representations:$r){...on Product{upc price}}}","variables":{"r":[{"__typename":"Product","upc":"2"},{"__typename":"Product","upc":"x"}]}}`, `{"data":{"e0":[{"upc":"2","price":477},null]}}`},
		{"requires come with the representation", "inventory", `{"query":"query($r:[_Any!]!){_entities(representations:$r){...on Product{shippingEstimate}}}","variables":{"r":[{"__typename":"Product","upc":"2","price":10,"weight":30},{"__typename":"Product","upc":"2","price":2000,"weight":30}]}}`, `{"data":{"_entities":[{"shippingEstimate":15},{"shippingEstimate":0}]}}`},
		{"what is required and missing is an error", "inventory", `{"query":"query($r:[_Any!]!){_entities(representations:$r){...on Product{shippingEstimate}}}","variables":{"r":[{"__typename":"Product","upc":"2","price":10}]}}`, `{"errors":[{"message":"inventory: shippingEstimate: representation of product 2: weight is \u003cnil\u003e, want a number"}]}`},
		{"equal response keys are merged, skipped ones left out", "accounts", `{"query":"query($no:Boolean!){me{id} me{name birthday @skip(if:$no)}}","variables":{"no":true}}`, `{"data":{"me":{"id":"1","name":"Ada Number 1"}}}`},
		{"the default of an argument", "products", `{"query":"{topProducts{upc}}"}`, `{"data":{"topProducts":[{"upc":"1"},{"upc":"2"},{"upc":"3"},{"upc":"4"},{"upc":"5"}]}}`},
		{"broken JSON", "products", `{"query"`, `{"errors":[{"message":"products: request body: unexpected EOF"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			service, err := Subgraph(test.service)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // computed, then kept
				if diff := cmp.Diff(test.want, string(service.Answer([]byte(test.body)))); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestTheOracleAnswersAcrossSubgraphs(t *testing.T) {
	oracle, err := Oracle()
	if err != nil {
		t.Fatal(err)
	}
	got := string(oracle.Answer([]byte(`{"query":"{me{username reviews{product{upc shippingEstimate reviews{author{id}}}}}}"}`)))
	want := `{"data":{"me":{"username":"ada1","reviews":[` +
		`{"product":{"upc":"1","shippingEstimate":5,"reviews":[{"author":{"id":"1"}},{"author":{"id":"6"}},{"author":{"id":"5"}},{"author":{"id":"4"}}]}},` +
		`{"product":{"upc":"2","shippingEstimate":31,"reviews":[{"author":{"id":"2"}},{"author":{"id":"1"}},{"author":{"id":"6"}},{"author":{"id":"5"}}]}},` +
		`{"product":{"upc":"3","shippingEstimate":58,"reviews":[{"author":{"id":"3"}},{"author":{"id":"2"}},{"author":{"id":"1"}},{"author":{"id":"6"}}]}},` +
		`{"product":{"upc":"4","shippingEstimate":0,"reviews":[{"author":{"id":"4"}},{"author":{"id":"3"}},{"author":{"id":"2"}},{"author":{"id":"1"}}]}}]}}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}
