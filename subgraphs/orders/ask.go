package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// askTimeout bounds what a request asks of another service before anything is written.
const askTimeout = 20 * time.Second

// ask asks another service something that a request needs before anything is written. A service that doesn't answer
// in time is an error that says so.
func (s *Service) ask(ctx context.Context, service string, client *subgraph.Client, query string, variables map[string]any, out any) error {
	limited, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := client.Do(limited, query, variables, out)
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.cfg.Log.ErrorContext(ctx, "ask another service", "service", service, "error", err)
	return subgraph.Errorf("SERVICE_UNAVAILABLE", "the %s service can't be reached: try again", service)
}

// askVariants asks a service for something about variants, and checks that there is an answer to each of them.
func askVariants[T any](ctx context.Context, s *Service, service string, client *subgraph.Client, fields string, references []map[string]any) ([]*T, error) {
	var answer struct {
		Entities []*T `json:"_entities"`
	}
	err := s.ask(ctx, service, client, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { `+fields+` } } }`,
		map[string]any{"r": references}, &answer)
	if err == nil && len(answer.Entities) != len(references) {
		err = fmt.Errorf("%s answered %d entities for %d representations", service, len(answer.Entities), len(references))
	}
	return answer.Entities, err
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
	entities, err := askVariants[struct {
		SKU     string
		Price   money.Money
		Product *struct{ Name, Status string }
	}](ctx, s, "products", s.cfg.Products, `sku price { minorUnits currency } product { name status }`, references)
	if err != nil {
		return nil, err
	}
	items := map[string]item{}
	for i, e := range entities {
		if e != nil && e.Product != nil && e.Product.Status == "ACTIVE" {
			items[references[i]["id"].(string)] = item{e.SKU, e.Product.Name, e.Price}
		}
	}
	return items, nil
}

// available asks inventory whether there is enough of each variant. The answer is advisory: the reservation decides.
func (s *Service) available(ctx context.Context, want []wanted) error {
	references := variantReferences(want)
	entities, err := askVariants[struct {
		Availability *struct{ MaxPurchasable int }
	}](ctx, s, "inventory", s.cfg.Inventory, `availability { maxPurchasable }`, references)
	if err != nil {
		return err
	}
	most := map[string]int{}
	for i, e := range entities {
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
	if err := s.ask(ctx, "users", s.cfg.Users, addressQuery, map[string]any{"id": userID}, &answer); err != nil {
		return "", err
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
