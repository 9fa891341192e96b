package inventory

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
)

type object = map[string]any

// reserve sends stockReserve and returns the JSON of its payload, or the code of the error.
func (s shop) reserve(input object, scopes ...string) string {
	return s.command("stockReserve", "StockReserveInput", input, scopes...)
}

func (s shop) command(field, inputType string, input object, scopes ...string) string {
	s.Helper()
	got := s.ask(`mutation($i: `+inputType+`!) { payload: `+field+`(input: $i) { reservation { state lines { quantity variant { id } } } userErrors { code available field variant { id } } } }`,
		object{"i": input}, scopes...)
	if errs, ok := got["errors"].([]any); ok {
		return fmt.Sprint(errs[0].(object)["extensions"].(object)["code"])
	}
	raw, err := json.Marshal(got["data"].(object)["payload"])
	if err != nil {
		s.Fatal(err)
	}
	return string(raw)
}

func TestStockIsReservedThroughGraphQLAllLinesOrNone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a, b := s.stock(10), s.stock(2)
		if a > b {
			t.Fatal("ids that were made later sort later")
		}
		order, other := id.New(id.Order), id.New(id.Order)
		lines := func(quantities ...any) []any {
			var list []any
			for i := 0; i < len(quantities); i += 2 {
				list = append(list, object{"variantId": quantities[i], "quantity": quantities[i+1]})
			}
			return list
		}
		line := func(variant string, quantity int) string {
			return fmt.Sprintf(`{"quantity":%d,"variant":{"id":%q}}`, quantity, variant)
		}
		reservation := func(state string, lines ...string) string {
			return `{"reservation":{"lines":[` + strings.Join(lines, ",") + `],"state":"` + state + `"},"userErrors":[]}`
		}
		refusal := func(e string) string { return `{"reservation":null,"userErrors":[` + e + `]}` }
		const write = "inventory:write"
		for _, test := range []struct {
			name, got, want string
		}{
			{"nobody", s.reserve(object{"orderId": order, "lines": lines(a, 1)}), "FORBIDDEN"},
			{"who may only look", s.reserve(object{"orderId": order, "lines": lines(a, 1)}, "inventory:read"), "FORBIDDEN"},
			{"two lines of a variant", s.reserve(object{"orderId": order, "lines": lines(b, 1, a, 2, a, 1)}, write), reservation("HELD", line(a, 3), line(b, 1))},
			{"again, in another order", s.reserve(object{"orderId": order, "lines": lines(a, 3, b, 1)}, write), reservation("HELD", line(a, 3), line(b, 1))},
			{
				"other lines", s.reserve(object{"orderId": order, "lines": lines(a, 3)}, write),
				refusal(`{"available":null,"code":"IDEMPOTENCY_KEY_REUSED","field":null,"variant":null}`),
			},
			{
				"more than there are", s.reserve(object{"orderId": other, "lines": lines(a, 1, b, 2)}, write),
				refusal(`{"available":1,"code":"INSUFFICIENT_STOCK","field":null,"variant":{"id":"` + b + `"}}`),
			},
			{"committed", s.command("stockCommit", "StockCommitInput", object{"orderId": order}, write), reservation("COMMITTED", line(a, 3), line(b, 1))},
			{
				"released when it is sold", s.command("stockRelease", "StockReleaseInput", object{"orderId": order}, write),
				refusal(`{"available":null,"code":"ILLEGAL_TRANSITION","field":null,"variant":null}`),
			},
			{"restocked", s.command("stockRestock", "StockRestockInput", object{"orderId": order}, write), reservation("RESTOCKED", line(a, 3), line(b, 1))},
			{"restocked again", s.command("stockRestock", "StockRestockInput", object{"orderId": order}, write), reservation("RESTOCKED", line(a, 3), line(b, 1))},
		} {
			if test.got != test.want {
				t.Errorf("%s: %s, want %s", test.name, test.got, test.want)
			}
		}
		if l := s.level(a); l.OnHand != 10 || l.Reserved != 0 || l.Sold != 0 {
			t.Errorf("balance is %+v, want all 10 back", l)
		}
	})
}

func TestWhatNoReservationOrAdjustmentCanBeIsRefusedWithItsField(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		v := s.stock(10)
		order := id.New(id.Order)
		reserve := func(orderID string, variant any, quantity, ttl int) string {
			return s.reserve(object{"orderId": orderID, "ttlSeconds": ttl, "lines": []any{object{"variantId": variant, "quantity": quantity}}}, "inventory:write")
		}
		adjust := func(variant any, delta int, key, reference string) string {
			got := s.ask(`mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { userErrors { code field } } }`,
				object{"i": object{"changes": []any{object{"variantId": variant, "delta": delta}}, "reason": "CORRECTION", "idempotencyKey": key, "reference": reference}}, "inventory:write")
			raw, _ := json.Marshal(got)
			return string(raw)
		}
		for name, test := range map[string]struct{ got, code, field string }{
			"no order's id":              {reserve("o", v, 1, 60), "INVALID_INPUT", `["input","orderId"]`},
			"an order's id with a NUL":   {reserve(order+"\x00", v, 1, 60), "INVALID_INPUT", `["input","orderId"]`},
			"no variant's id":            {reserve(order, "x\x00", 1, 60), "INVALID_INPUT", `["input","lines","0","variantId"]`},
			"nothing":                    {reserve(order, v, 0, 60), "INVALID_INPUT", `["input","lines","0","quantity"]`},
			"less than nothing":          {reserve(order, v, -1, 60), "INVALID_INPUT", `["input","lines","0","quantity"]`},
			"more than anybody wants":    {reserve(order, v, math.MaxInt32, 60), "INVALID_INPUT", `["input","lines","0","quantity"]`},
			"for no time":                {reserve(order, v, 1, 0), "INVALID_INPUT", `["input","ttlSeconds"]`},
			"for ever":                   {reserve(order, v, 1, math.MaxInt32), "INVALID_INPUT", `["input","ttlSeconds"]`},
			"as many as there are atoms": {adjust(v, math.MaxInt64, "k", ""), "INVALID_INPUT", `["input","changes","0","delta"]`},
			"as few as there are atoms":  {adjust(v, math.MinInt64, "k", ""), "INVALID_INPUT", `["input","changes","0","delta"]`},
			"a change of nothing":        {adjust(v, 0, "k", ""), "INVALID_INPUT", `["input","changes","0","delta"]`},
			"a change of nothing known":  {adjust("x\x00", 1, "k", ""), "NOT_FOUND", `["input","changes","0"]`},
			"no key":                     {adjust(v, 1, "", ""), "INVALID_INPUT", `["input","idempotencyKey"]`},
			"a key with a NUL":           {adjust(v, 1, "k\x00", ""), "INVALID_INPUT", `["input","idempotencyKey"]`},
			"a reference with a NUL":     {adjust(v, 1, "k", "\x00"), "INVALID_INPUT", `["input","reference"]`},
			"a commit of nothing known": {
				s.command("stockCommit", "StockCommitInput", object{"orderId": "\x00"}, "inventory:write"), "NOT_FOUND", `null`,
			},
		} {
			if !strings.Contains(test.got, `"code":"`+test.code+`","field":`+test.field) {
				t.Errorf("%s: %s, want %s at %s", name, test.got, test.code, test.field)
			}
		}
		if l := s.level(v); l.OnHand != 10 || l.Reserved != 0 {
			t.Errorf("balance is %+v, want what it was", l)
		}
	})
}

func TestReferencesToNothingAreNullAndHarmNobody(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		v := s.stock(10)
		reps := []any{
			object{"__typename": "Product", "id": "p", "variants": []any{object{"id": v}}},
			object{"__typename": "Product", "id": "q", "variants": []any{object{}, object{"id": nil}}},
			object{"__typename": "ProductVariant", "id": "\x00"},
			object{"__typename": "Reservation", "id": "\x00"},
		}
		got := s.ask(`query($r: [_Any!]!) { _entities(representations: $r) {
			... on Product { inStock } ... on ProductVariant { availability { maxPurchasable } } ... on Reservation { id } } }`,
			object{"r": reps}, "inventory:read")
		raw, _ := json.Marshal(got)
		if want := `{"data":{"_entities":[{"inStock":true},{"inStock":false},{"availability":{"maxPurchasable":0}},null]}}`; string(raw) != want {
			t.Errorf("%s, want %s", raw, want)
		}
	})
}
