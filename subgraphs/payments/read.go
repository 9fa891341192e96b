package payments

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// found is a payment as it was read, with its refunds.
type found struct {
	payment
	refunds []*gen.Refund
}

// present is the payment as clients see it.
func (f *found) present() *gen.Payment { return f.payment.present(f.refunds) }

// read is a payment by its id as clients see it, or nil.
func (s *Service) read(ctx context.Context, paymentID string) (*gen.Payment, error) {
	rows, err := s.find(ctx, "id", []string{paymentID})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].present(), nil
}

// The sizes of batches: how many references may come at once, and how many a query asks for.
const (
	maxReferences = 10_000
	chunk         = 1000
)

// find reads the payments whose column (id or order_id) has one of the values, oldest first for each, with their
// refunds, in one query for a thousand values.
func (s *Service) find(ctx context.Context, column string, values []string) ([]*found, error) {
	values = id.WellFormed(map[string]string{"id": id.Payment, "order_id": id.Order}[column], values)
	if len(values) > maxReferences {
		return nil, subgraph.Errorf(subgraph.BadInput, "%d references are asked for at once, %d are the most", len(values), maxReferences)
	}
	var all []*found
	for part := range slices.Chunk(values, chunk) {
		some, err := s.findSome(ctx, column, part)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (s *Service) findSome(ctx context.Context, column string, values []string) ([]*found, error) {
	list, args := database.In(nil, values)
	var rows []struct {
		payment
		RefundID     sql.NullString `db:"refund_id"`
		RefundAmount sql.NullInt64  `db:"refund_amount"`
		RefundState  sql.NullString `db:"refund_state"`
		RefundReason sql.NullString `db:"refund_reason"`
		RefundUs     sql.NullInt64  `db:"refund_us"`
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT `+paymentColumns+`, o.refund_id, o.amount AS refund_amount, o.state AS refund_state, o.detail AS refund_reason, o.created_us AS refund_us
		FROM payment p LEFT JOIN operation o ON o.payment_id = p.id AND o.kind = 'REFUND'
		WHERE p.`+column+` IN `+list+` ORDER BY p.created_us, p.id, o.created_us, o.key`, args...)
	if err != nil {
		return nil, fmt.Errorf("read payments: %w", err)
	}
	var all []*found
	for _, r := range rows {
		if len(all) == 0 || all[len(all)-1].ID != r.ID {
			all = append(all, &found{payment: r.payment})
		}
		if r.RefundID.Valid {
			op := operation{
				RefundID: r.RefundID.String, Amount: r.RefundAmount.Int64, State: r.RefundState.String,
				Detail: r.RefundReason.String, CreatedUs: r.RefundUs.Int64,
			}
			last := all[len(all)-1]
			last.refunds = append(last.refunds, op.presentRefund(r.Currency))
		}
	}
	return all, nil
}

// eventsOf are the lines of the logs of payments, in one query. Every payment has a list.
func (s *Service) eventsOf(ctx context.Context, paymentIDs []string) (map[string][]*gen.PaymentEvent, error) {
	events := make(map[string][]*gen.PaymentEvent, len(paymentIDs))
	for _, paymentID := range paymentIDs {
		events[paymentID] = []*gen.PaymentEvent{}
	}
	for part := range slices.Chunk(paymentIDs, chunk) {
		list, args := database.In(nil, part)
		var rows []struct {
			PaymentID      string `db:"payment_id"`
			AtUs           int64  `db:"at_us"`
			Type           string
			Amount         int64
			Currency       string
			Reference      string
			IdempotencyKey string `db:"idempotency_key"`
			Actor          string
		}
		err := s.db.Read.SelectContext(ctx, &rows, `
			SELECT e.payment_id, e.at_us, e.type, e.amount, p.currency, e.reference, e.idempotency_key, e.actor
			FROM payment_event e JOIN payment p ON p.id = e.payment_id WHERE e.payment_id IN `+list+` ORDER BY e.payment_id, e.sequence`, args...)
		if err != nil {
			return nil, fmt.Errorf("read events of payments: %w", err)
		}
		for _, r := range rows {
			amount := payment{Currency: r.Currency}.money(r.Amount)
			shown := &gen.PaymentEvent{At: database.Time(r.AtUs), Actor: r.Actor, Type: r.Type, Amount: &amount, IdempotencyKey: r.IdempotencyKey}
			if r.Reference != "" {
				shown.ProviderReference = &r.Reference
			}
			events[r.PaymentID] = append(events[r.PaymentID], shown)
		}
	}
	return events, nil
}
