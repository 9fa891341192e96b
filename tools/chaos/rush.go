package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// The numbers of a rush: buyers at once, each with one order, for units of one variant. A short one has fewer buyers, who
// have several orders each.
const (
	rushOrders  = 1000
	rushUnits   = 100
	rushSeeds   = 20
	shortBuyers = 20
)

// rush has 1,000 orders at once fight for 100 units, again and again.
func rush(ctx context.Context, cfg *config, engine string) (string, error) {
	s, err := cfg.newStand(ctx, engine, "rush")
	if err != nil {
		return "", err
	}
	defer s.close(ctx)
	p, err := s.open()
	if err != nil {
		return "", err
	}
	defer p.kill()
	buyers := rushOrders
	if !cfg.full {
		buyers = shortBuyers
	}
	m, err := openMarket(ctx, p.url, rushUnits, buyers)
	if err != nil {
		return "", err
	}
	seeds, sold, refused := 0, 0, 0
	for begun := time.Now(); cfg.goesOn(begun, seeds, rushSeeds); seeds++ {
		if seeds > 0 {
			if m, err = m.next(ctx, rushUnits); err != nil {
				return "", err
			}
		}
		o, err := m.rush(ctx, cfg.seed+uint64(seeds))
		if err != nil {
			return fmt.Sprintf("round %d: %v; the shop said: %s", seeds+1, o, p.said()), err
		}
		sold, refused = sold+o.confirmed, refused+o.sent-o.confirmed
	}
	_, err = s.audit(ctx)
	return fmt.Sprintf("%d rounds of %d orders of %d buyers for %d units: %d sold, %d refused, oversold 0, undersold 0, audit clean",
		seeds, rushOrders, buyers, rushUnits, sold, refused), err
}

// rush sends all orders at once, in an order that the seed says, and checks what became of them.
func (m *market) rush(ctx context.Context, seed uint64) (outcome, error) {
	for _, i := range shuffled(seed, rushOrders) {
		b := i % len(m.buyers)
		m.orders = append(m.orders, sent{buyer: b, input: m.input(b, fmt.Sprint("rush ", m.sku, " ", i), 0)})
	}
	var unanswered atomic.Int64
	inParallel(rushOrders, rushOrders, func(i int) error {
		data, err := m.buyers[m.orders[i].buyer].send(ctx, orderQuery, m.orders[i].input)
		m.orders[i].acknowledged = text(data, "orderCreate.order.id")
		if err != nil { // it waited too long: what became of it, its key says
			unanswered.Add(1)
		}
		return nil
	})
	m.failed = int(unanswered.Load())
	o, err := m.check(ctx)
	if err == nil && o.confirmed != rushUnits {
		err = fmt.Errorf("%d of %d units are sold", o.confirmed, rushUnits)
	}
	return o, err
}
