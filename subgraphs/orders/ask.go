package orders

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// unreachable is the error of a request that needs another service which doesn't answer: nothing has been written.
func (s *Service) unreachable(ctx context.Context, service string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.cfg.Log.ErrorContext(ctx, "ask another service", "service", service, "error", err)
	return subgraph.Errorf("SERVICE_UNAVAILABLE", "the %s service can't be reached: try again", service)
}

// item is what the catalogue says of a variant that is for sale.
type item struct {
	sku, name string
	price     money.Money
}

// variantReferences are the representations of variants, each once.
func variantReferences(want []wanted) []map[string]any {
	seen := map[string]bool{}
	var references []map[string]any
	for _, w := range want {
		if !seen[w.variantID] {
			seen[w.variantID] = true
			references = append(references, map[string]any{"__typename": "ProductVariant", "id": w.variantID})
		}
	}
	return references
}

// catalogue asks products for the names and prices of variants, in one request. Those that aren't for sale are left
// out.
func (s *Service) catalogue(ctx context.Context, want []wanted) (map[string]item, error) {
	references := variantReferences(want)
	if len(references) == 0 {
		return nil, nil
	}
	var answer struct {
		Entities []*struct {
			SKU     string
			Price   money.Money
			Product *struct{ Name, Status string }
		} `json:"_entities"`
	}
	err := s.cfg.Products.Do(ctx, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { sku price { minorUnits currency } product { name status } } } }`,
		map[string]any{"r": references}, &answer)
	if err == nil && len(answer.Entities) != len(references) {
		err = fmt.Errorf("%d entities for %d representations", len(answer.Entities), len(references))
	}
	if err != nil {
		return nil, s.unreachable(ctx, "products", err)
	}
	items := map[string]item{}
	for i, e := range answer.Entities {
		if e != nil && e.Product != nil && e.Product.Status == "ACTIVE" {
			items[references[i]["id"].(string)] = item{e.SKU, e.Product.Name, e.Price}
		}
	}
	return items, nil
}

// available asks inventory whether there is enough of each variant. The answer is advisory: the reservation decides.
func (s *Service) available(ctx context.Context, want []wanted) error {
	references := variantReferences(want)
	var answer struct {
		Entities []*struct {
			Availability *struct{ MaxPurchasable int }
		} `json:"_entities"`
	}
	err := s.cfg.Inventory.Do(ctx, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { availability { maxPurchasable } } } }`,
		map[string]any{"r": references}, &answer)
	if err == nil && len(answer.Entities) != len(references) {
		err = fmt.Errorf("%d entities for %d representations", len(answer.Entities), len(references))
	}
	if err != nil {
		return s.unreachable(ctx, "inventory", err)
	}
	most := map[string]int{}
	for i, e := range answer.Entities {
		if e != nil && e.Availability != nil {
			most[references[i]["id"].(string)] = e.Availability.MaxPurchasable
		}
	}
	var all refusals
	for _, w := range want {
		if int64(most[w.variantID]) < w.quantity {
			all = append(all, short(w.variantID, most[w.variantID], w.field))
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

// addresses are asked for by their owner, so that nobody ships to somebody else's.
const addressQuery = `query ($id: ID!) { user(id: $id) { addresses(first: 100) { edges { node { id name line1 line2 city postalCode countryCode } } } } }`

// address asks users for an address of the buyer's, and returns it as JSON.
func (s *Service) address(ctx context.Context, userID, addressID string) (string, error) {
	var answer struct {
		User *struct {
			Addresses struct {
				Edges []struct {
					Node struct {
						ID string
						gen.ShippingAddress
					}
				}
			}
		}
	}
	if err := s.cfg.Users.Do(ctx, addressQuery, map[string]any{"id": userID}, &answer); err != nil {
		return "", s.unreachable(ctx, "users", err)
	}
	if answer.User != nil {
		for _, e := range answer.User.Addresses.Edges {
			if e.Node.ID == addressID {
				raw, err := json.Marshal(e.Node.ShippingAddress)
				return string(raw), err
			}
		}
	}
	return "", refusals{invalid(input("addressId"), "it is none of your addresses")}
}
