package payments

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// checkOrder asks the orders service about the order that a person wants paid: whether there is one, whose it is and what
// it costs. It returns who pays. Services are believed: checkout itself comes from there.
func (s *Service) checkOrder(ctx context.Context, in gen.PaymentProcessInput) (payer string, err error) {
	who := identity.From(ctx)
	if payer = who.Subject; in.UserID != nil {
		payer = *in.UserID
	}
	if who.Subject == "" || s.cfg.Orders == nil {
		return payer, nil
	}
	var answer struct {
		Order *struct {
			Customer struct{ ID string }
			Total    money.Money
		}
	}
	err = s.cfg.Orders.Do(ctx, `query ($id: ID!) { order(id: $id) { customer { id } total { minorUnits currency } } }`, map[string]any{"id": in.OrderID}, &answer)
	if err != nil {
		return "", fmt.Errorf("ask for the order %s: %w", in.OrderID, err)
	}
	o := answer.Order
	switch {
	case o == nil:
		return "", refuse(gen.PaymentErrorCodeNotFound, []string{"input", "orderId"}, "there is no order %s", in.OrderID)
	case in.UserID != nil && *in.UserID != o.Customer.ID:
		return "", invalid("userId", "the order is not that user's")
	case in.Currency != o.Total.Currency:
		return "", invalid("currency", "the order is in %s", o.Total.Currency)
	case in.AmountMinorUnits > o.Total.MinorUnits:
		return "", refuse(gen.PaymentErrorCodeAmountTooLarge, []string{"input", "amountMinorUnits"}, "the order costs %s", o.Total)
	}
	return o.Customer.ID, nil
}
