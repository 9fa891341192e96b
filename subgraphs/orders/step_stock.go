package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// stockPayload is what the commands of the inventory answer.
type stockPayload struct {
	Payload struct {
		Reservation *struct{ State string }
		UserErrors  []struct {
			Code, Message string
			Variant       *struct{ ID string }
			Available     *int
		}
	}
}

// code is the code of the first user error, or "".
func (p stockPayload) code() string {
	if len(p.Payload.UserErrors) == 0 {
		return ""
	}
	return p.Payload.UserErrors[0].Code
}

func (p stockPayload) err() error {
	if p.code() == "" {
		return errors.New("inventory answered nothing")
	}
	return fmt.Errorf("inventory refused with %s: %s", p.code(), p.Payload.UserErrors[0].Message)
}

const stockErrors = `userErrors { code message variant { id } available }`

// reserve holds the order's stock: all lines or none.
func (s *Service) reserve(ctx context.Context, _ saga, o *order) verdict {
	lines := make([]map[string]any, len(o.Lines))
	for i, l := range o.Lines {
		lines[i] = map[string]any{"variantId": l.VariantID, "quantity": l.Quantity}
	}
	var p stockPayload
	err := s.cfg.Inventory.Do(ctx, `mutation ($input: StockReserveInput!) { payload: stockReserve(input: $input) { reservation { state } `+stockErrors+` } }`,
		map[string]any{"input": map[string]any{"orderId": o.ID, "lines": lines, "ttlSeconds": int(s.cfg.ReservationLife.Seconds())}}, &p)
	switch {
	case err != nil:
		return verdict{err: err}
	case p.code() == "INSUFFICIENT_STOCK":
		e := p.Payload.UserErrors[0]
		failure := refuse(gen.OrderErrorCodeInsufficientStock, nil, "there is not enough in stock")
		if e.Variant != nil && e.Available != nil {
			failure = short(e.Variant.ID, *e.Available, nil)
		}
		return verdict{kind: refused, reason: gen.OrderCancelReasonOutOfStock, failure: failure}
	case p.code() == "NOT_FOUND":
		return verdict{
			kind: refused, reason: gen.OrderCancelReasonOutOfStock,
			failure: refuse(gen.OrderErrorCodeVariantUnavailable, nil, "it is not for sale any more"),
		}
	case p.code() != "" || p.Payload.Reservation == nil:
		return verdict{err: p.err()}
	}
	switch p.Payload.Reservation.State {
	case "HELD", "COMMITTED":
		return verdict{kind: done}
	}
	return expired()
}

// expired is the verdict that the order's reservation is over.
func expired() verdict {
	return verdict{
		kind: refused, reason: gen.OrderCancelReasonExpired,
		failure: refuse(gen.OrderErrorCodeInsufficientStock, nil, "the reservation of the stock has expired"),
	}
}

// stock sends a command that takes nothing but the order.
func (s *Service) stock(ctx context.Context, field, inputType, orderID string) (stockPayload, error) {
	var p stockPayload
	err := s.cfg.Inventory.Do(ctx, `mutation ($input: `+inputType+`!) { payload: `+field+`(input: $input) { `+stockErrors+` } }`,
		map[string]any{"input": map[string]any{"orderId": orderID}}, &p)
	return p, err
}

// commit makes the reservation final, unless it has expired.
func (s *Service) commit(ctx context.Context, _ saga, o *order) verdict {
	p, err := s.stock(ctx, "stockCommit", "StockCommitInput", o.ID)
	if err != nil {
		return verdict{err: err}
	}
	switch p.code() {
	case "":
		return verdict{kind: done}
	case "RESERVATION_EXPIRED", "ILLEGAL_TRANSITION", "NOT_FOUND":
		return expired()
	}
	return verdict{err: p.err()}
}

// release lets go of the reservation; there may be none.
func (s *Service) release(ctx context.Context, _ saga, o *order) verdict {
	p, err := s.stock(ctx, "stockRelease", "StockReleaseInput", o.ID)
	return undone(p, err)
}

// restock puts the units back on the shelf.
func (s *Service) restock(ctx context.Context, _ saga, o *order) verdict {
	p, err := s.stock(ctx, "stockRestock", "StockRestockInput", o.ID)
	return undone(p, err)
}

func undone(p stockPayload, err error) verdict {
	if err != nil {
		return verdict{err: err}
	}
	switch p.code() {
	case "", "NOT_FOUND":
		return verdict{kind: done}
	}
	return verdict{err: p.err()}
}
