package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// purchase is an order that is to be placed: by checkout of a cart, or directly.
type purchase struct {
	key       idempotency.Key
	buyer     string
	addressID string
	token     string
	expected  int64
	// currency is that of the expected total; nil for whatever it is.
	currency *string
	wait     time.Duration
	// want gives what is to be bought, and the cart that it comes from if any; it refuses what can't be.
	want func(ctx context.Context) ([]wanted, *cart, error)
}

// maxWait bounds waitMs.
const maxWait = 30 * time.Second

// check refuses what can't be right whatever the state of the shop.
func (p purchase) check() refusals {
	var all refusals
	if !idempotency.Valid(p.key.Key) {
		all = append(all, badKey())
	}
	if !id.Is(id.Address, p.addressID) {
		all = append(all, invalid(input("addressId"), "%.50q is no id of an address", p.addressID))
	}
	if p.token == "" || len(p.token) > 500 || !database.Storable(p.token) {
		all = append(all, invalid(input("paymentMethodToken"), "a token has 1 to 500 bytes"))
	} else if isCardNumber(p.token) {
		all = append(all, invalid(input("paymentMethodToken"), "send a token of the payment provider, never a card number"))
	}
	if p.expected < 0 {
		all = append(all, invalid(input("expectedTotalMinorUnits"), "a total is not negative"))
	}
	if p.wait < 0 || p.wait > maxWait {
		all = append(all, invalid(input("waitMs"), "it may be 0 to %d", maxWait.Milliseconds()))
	}
	return all
}

// isCardNumber reports whether a text looks like the number of a card: such must not be stored.
func isCardNumber(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			return false
		}
	}
	return digits >= 12 && digits <= 19
}

// buy places the order once, waits for the end of its saga as long as the buyer wants, and returns it as it is
// then. The same key gives the same order again, however often and at the same time.
func (s *Service) buy(ctx context.Context, p purchase) (*order, error) {
	if wrong := p.check(); len(wrong) > 0 {
		return nil, wrong
	}
	orderID, begins, err := s.placeOnce(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, orderID, begins, p.wait)
}

// placeOnce places the order, or finds the one that the key has placed before. It returns the lease of a saga that is to begin.
func (s *Service) placeOnce(ctx context.Context, p purchase) (orderID string, begins *lease, err error) {
	select {
	case s.placing <- struct{}{}:
		defer func() { <-s.placing }()
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	orderID, err = s.placed(ctx, p.key)
	if orderID != "" || err != nil {
		return orderID, nil, err
	}
	orderID, begins, err = s.place(ctx, p)
	var refused refusals
	if !errors.As(err, &refused) {
		return orderID, begins, err
	}
	// The same key may have placed the order meanwhile, and emptied the cart.
	first, looked := s.placed(ctx, p.key)
	if first != "" || looked != nil {
		return first, nil, looked
	}
	return "", nil, err
}

// placed is the order that a key has placed, or "".
func (s *Service) placed(ctx context.Context, k idempotency.Key) (string, error) {
	status, stored, err := idempotency.Look(ctx, s.db.Read, k)
	if err != nil {
		return "", err
	}
	return replay(status, stored)
}

// replay reads the stored answer of a key: the order's id. A key is claimed and completed in one transaction, so
// there is no time at which it is in progress and its order isn't there.
func replay(status idempotency.Status, stored []byte) (orderID string, err error) {
	switch status {
	case idempotency.Reused:
		return "", refusals{refuse(gen.OrderErrorCodeIdempotencyKeyReused, input("idempotencyKey"), "this key was used for another request")}
	case idempotency.InProgress:
		return "", refusals{refuse(gen.OrderErrorCodeIdempotencyInProgress, input("idempotencyKey"), "the first request with this key is still running")}
	case idempotency.Done:
		return orderID, json.Unmarshal(stored, &orderID)
	}
	return "", nil
}

// place asks for everything that the order needs to know, and writes it.
func (s *Service) place(ctx context.Context, p purchase) (orderID string, begins *lease, err error) {
	want, from, err := p.want(ctx)
	if err != nil {
		return "", nil, err
	}
	q, address, err := s.prepare(ctx, p, want)
	if err != nil {
		return "", nil, err
	}
	now := s.nowMicros()
	o := &order{
		ID: id.New(id.Order), Number: newNumber(), UserID: p.buyer, Status: gen.OrderStatusPending,
		Currency: q.total.Currency, Subtotal: q.subtotal.MinorUnits, Shipping: q.shipping.MinorUnits, Total: q.total.MinorUnits,
		Address: address, PlacedUs: now, UpdatedUs: now, Lines: q.lines,
	}
	for i := range o.Lines {
		o.Lines[i].ID = id.New(id.OrderLine)
	}
	sg := saga{
		OrderID: o.ID, Plan: forward.String(), Outcome: gen.OrderStatusConfirmed, Token: p.token,
		DeadlineUs: database.Micros(s.now().Add(s.cfg.ReservationLife * 14 / 15)), LeaseOwner: newOwner(),
	}
	untilUs := database.Micros(s.now().Add(s.cfg.Lease))
	orderID, err = s.write(ctx, p, o, from, sg)
	if err != nil {
		return "", nil, err
	}
	if err := fault.Point("orders.placed"); err != nil || orderID != o.ID {
		return orderID, nil, err
	}
	s.outbox.Wake()
	return orderID, &lease{o.ID, sg.LeaseOwner, &begun{sg, o, untilUs}}, nil
}

// prepare asks products, users and inventory at the same time.
func (s *Service) prepare(ctx context.Context, p purchase, want []wanted) (q quote, address string, err error) {
	var items map[string]item
	var scarce error
	g, asking := errgroup.WithContext(ctx)
	g.Go(func() (err error) { items, err = s.catalogue(asking, want); return err })
	g.Go(func() (err error) { address, err = s.address(asking, p.buyer, p.addressID); return err })
	g.Go(func() error {
		scarce = s.available(asking, want)
		var refused refusals
		if errors.As(scarce, &refused) {
			return nil // what is not for sale at all, or at another price, is said first
		}
		return scarce
	})
	if err := g.Wait(); err != nil {
		return q, "", err
	}
	if q, err = s.price(want, items); err != nil {
		return q, "", err
	}
	switch {
	case p.currency != nil && *p.currency != q.total.Currency:
		return q, "", refusals{refuse(gen.OrderErrorCodePriceChanged, input("expectedCurrency"), "the total is %s", q.total)}
	case q.total.MinorUnits != p.expected:
		return q, "", refusals{refuse(gen.OrderErrorCodePriceChanged, input("expectedTotalMinorUnits"), "the total is %s now", q.total)}
	case q.total.MinorUnits == 0:
		return q, "", refusals{invalid(input("expectedTotalMinorUnits"), "there is nothing to pay")}
	}
	return q, address, scarce
}

// write stores the order as PENDING with its lines, history, event, saga and idempotency record, and empties the
// cart, if that is still the one that was priced: all in one transaction. It returns the order of the key, which may
// be another one that was faster.
func (s *Service) write(ctx context.Context, p purchase, o *order, from *cart, sg saga) (orderID string, err error) {
	if err := fault.Point("orders.placing"); err != nil {
		return "", err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		status, stored, err := idempotency.Claim(ctx, tx, p.key)
		if err != nil {
			return err
		}
		if status != idempotency.Claimed {
			orderID, err = replay(status, stored)
			return err
		}
		orderID = o.ID
		if from != nil {
			if err := s.emptyCart(ctx, tx, from); err != nil {
				return err
			}
		}
		if err := insertOrder(ctx, tx, o); err != nil {
			return err
		}
		if err := s.chronicle(ctx, tx, o, "", change{to: o.Status, actor: p.buyer}); err != nil {
			return err
		}
		if err := s.insertSaga(ctx, tx, sg, o.PlacedUs); err != nil {
			return err
		}
		return idempotency.Complete(ctx, tx, p.key, o.ID)
	})
	if err != nil {
		return "", fmt.Errorf("place order: %w", err)
	}
	return orderID, nil
}

// insertSaga writes the plan of a new order. It is leased to this replica at once.
func (s *Service) insertSaga(ctx context.Context, tx *database.Tx, sg saga, nextUs int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO saga (order_id, plan, outcome, token, deadline_us, next_us, lease_owner, lease_until_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		sg.OrderID, sg.Plan, sg.Outcome, sg.Token, sg.DeadlineUs, nextUs, sg.LeaseOwner, database.Micros(s.now().Add(s.cfg.Lease)))
	if err != nil {
		return fmt.Errorf("insert saga: %w", err)
	}
	return nil
}

// pollInterval is how often those who wait look at the database themselves.
const pollInterval = time.Second

// wait returns the order when checkout has settled, or as it is when the time is over. It begins with a saga that is to begin.
func (s *Service) wait(ctx context.Context, orderID string, begins *lease, limit time.Duration) (*order, error) {
	statuses, end := s.hub.listen(orderID)
	defer end()
	if begins != nil {
		s.enqueue(*begins)
	}
	over := time.NewTimer(limit)
	defer over.Stop()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for look := begins == nil; ; look = true {
		if look {
			o, err := s.order(ctx, orderID)
			if err != nil || settled(o.Status) {
				return o, err
			}
		}
		if waiting := s.until(ctx, statuses, over.C, poll.C); !waiting {
			return s.order(ctx, orderID)
		}
	}
}

// until waits for a reason to look at an order, and reports whether there is time to wait on behind it.
func (s *Service) until(ctx context.Context, statuses <-chan gen.OrderStatus, over, poll <-chan time.Time) bool {
	for {
		select {
		case status := <-statuses:
			if settled(status) {
				return true
			}
		case <-poll:
			return true
		case <-over:
			return false
		case <-s.stopped: // nobody drives sagas here any more
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// order reads an order that exists.
func (s *Service) order(ctx context.Context, orderID string) (*order, error) {
	found, err := readOrders(ctx, s.db.Read, "o.id = $1", orderID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("order %s is gone", orderID)
	}
	return found[0], nil
}

// merge adds up what is wanted of the same variant, so that it is priced, counted and reserved together. It stays in
// the order of the input.
func merge(want []wanted) []wanted {
	at := map[string]int{}
	var merged []wanted
	for _, w := range want {
		if i, ok := at[w.variantID]; ok {
			merged[i].quantity += w.quantity
			continue
		}
		at[w.variantID] = len(merged)
		merged = append(merged, w)
	}
	return merged
}
