package orders

import (
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// ShippingRule is what delivery costs, in major units of whatever currency the order is in.
type ShippingRule struct {
	// Flat is what delivery costs below FreeFrom.
	Flat int64
	// FreeFrom is the subtotal from which delivery costs nothing; 0 for always.
	FreeFrom int64
}

// standardShipping is the rule if none is configured: 5, and free from 50.
var standardShipping = ShippingRule{Flat: 5, FreeFrom: 50}

// of is what delivery of goods for a subtotal costs.
func (r ShippingRule) of(subtotal money.Money) (money.Money, error) {
	if r == (ShippingRule{}) {
		r = standardShipping
	}
	unit := money.New(1, subtotal.Currency)
	for range money.Digits(subtotal.Currency) {
		unit.MinorUnits *= 10
	}
	free, err := unit.Times(r.FreeFrom)
	if err != nil || subtotal.MinorUnits >= free.MinorUnits {
		return money.New(0, subtotal.Currency), err
	}
	return unit.Times(r.Flat)
}

// wanted is a variant that somebody wants to buy.
type wanted struct {
	variantID string
	quantity  int64
	// field is the path to it in the mutation's input.
	field []string
}

// quote is what some variants cost, delivered.
type quote struct {
	lines                     []line
	subtotal, shipping, total money.Money
}

// price adds up what variants cost. What is not for sale is refused, each by itself; so are variants of several
// currencies, and amounts that don't fit.
func (s *Service) price(want []wanted, items map[string]item) (quote, error) {
	var q quote
	var all refusals
	for _, w := range want {
		it, ok := items[w.variantID]
		if !ok {
			r := refuse(gen.OrderErrorCodeVariantUnavailable, w.field, "it is not for sale")
			r.VariantID = w.variantID
			all = append(all, r)
			continue
		}
		total, err := it.price.Times(w.quantity)
		if err == nil {
			q.subtotal, err = q.subtotal.Add(total)
		}
		if err != nil {
			all = append(all, invalid(w.field, "it can't be bought together with the others: %v", err))
		}
		q.lines = append(q.lines, line{VariantID: w.variantID, SKU: it.sku, ProductName: it.name, Quantity: w.quantity, UnitPrice: it.price.MinorUnits})
	}
	if len(all) > 0 {
		return quote{}, all
	}
	var err error
	if q.shipping, err = s.cfg.Shipping.of(q.subtotal); err != nil {
		return quote{}, err
	}
	q.total, err = q.subtotal.Add(q.shipping)
	return q, err
}
