package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/agora-supergraph/agora/subgraphs/orders"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// atRest calls check with each order that was at rest and the same, before the other services were asked and behind it.
func (b books) atRest(check func(orderID string, o orders.Settled)) {
	for _, orderID := range names(b.after.Orders) {
		if before, ok := b.before.Orders[orderID]; ok && before.UpdatedUs == b.after.Orders[orderID].UpdatedUs {
			check(orderID, b.after.Orders[orderID])
		}
	}
}

// compareStock checks that what an order has sold is what its reservation has.
func (b books) compareStock() (broken []string) {
	b.atRest(func(orderID string, o orders.Settled) {
		if b.inventory.Held[orderID] {
			broken = append(broken, fmt.Sprintf("order %s is %s, and units are held for it", orderID, o.Status))
		}
		if left := b.inventory.Sold[orderID]; !maps.Equal(left, o.Sold) && len(left)+len(o.Sold) > 0 {
			broken = append(broken, fmt.Sprintf("order %s is %s and has sold %v, but its reservation %v", orderID, o.Status, o.Sold, left))
		}
	})
	known := b.known()
	for _, orderID := range names(b.inventory.Sold) {
		if !known[orderID] && len(b.inventory.Sold[orderID]) > 0 {
			broken = append(broken, fmt.Sprintf("inventory has sold %v for order %s, which doesn't exist", b.inventory.Sold[orderID], orderID))
		}
	}
	return broken
}

// compareMoney checks that what an order costs is what payments has taken for it, and the provider too.
func (b books) compareMoney() (broken []string) {
	ours, theirs := balances(b.payments), balances(b.provider)
	b.atRest(func(orderID string, o orders.Settled) {
		p, q := ours[purse{orderID, o.Currency}], theirs[purse{orderID, o.Currency}]
		if p.Captured != o.Owed {
			broken = append(broken, fmt.Sprintf("order %s is %s and costs %d %s, but payments holds %d for it", orderID, o.Status, o.Owed, o.Currency, p.Captured))
		}
		if p.Authorized != 0 {
			broken = append(broken, fmt.Sprintf("order %s is %s, and %d %s are still authorized", orderID, o.Status, p.Authorized, o.Currency))
		}
		if p.Captured != q.Captured || p.Authorized != q.Authorized {
			broken = append(broken, fmt.Sprintf("of order %s payments has captured %d and holds %d, but the provider %d and %d", orderID, p.Captured, p.Authorized, q.Captured, q.Authorized))
		}
	})
	known := b.known()
	for _, p := range b.payments {
		if p.Imbalance != 0 {
			broken = append(broken, fmt.Sprintf("the ledger entries of order %s add up to %d %s", p.OrderID, p.Imbalance, p.Currency))
		}
		o, atRest := b.after.Orders[p.OrderID]
		if p.Captured != 0 && (!known[p.OrderID] || atRest && o.Currency != p.Currency) {
			broken = append(broken, fmt.Sprintf("payments holds %d %s for order %s, which has no such total", p.Captured, p.Currency, p.OrderID))
		}
	}
	return broken
}

// known are the orders that exist.
func (b books) known() map[string]bool {
	known := map[string]bool{}
	for _, orderID := range slices.Concat(names(b.after.Orders), b.after.Unsettled, b.after.Waiting) {
		known[orderID] = true
	}
	return known
}

// purse is an order in one currency.
type purse struct{ orderID, currency string }

func balances(rows []payments.Balance) map[purse]payments.Balance {
	all := map[purse]payments.Balance{}
	for _, r := range rows {
		all[purse{r.OrderID, r.Currency}] = r
	}
	return all
}
