package payments

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
)

// applyUser erases what is personal about a user who is erased: saved methods, and the cards behind payments that are
// over. Payments, refunds and the ledger stay, since books must be kept: they name the user by an id that leads nowhere
// any more.
func (s *Service) applyUser(ctx context.Context, tx *database.Tx, e event.Event) error {
	if e.Type != "agora.users.user.deleted.v1" {
		return nil
	}
	for _, statement := range []string{
		`DELETE FROM payment_method WHERE user_id = $1`,
		`DELETE FROM idempotency WHERE scope = $1`,
		// An authorisation that is under way may have to be asked for again, with the same card.
		`UPDATE payment SET method_token = '' WHERE user_id = $1
			AND status IN ('CAPTURED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DECLINED', 'VOIDED', 'EXPIRED')`,
	} {
		if _, err := tx.ExecContext(ctx, statement, e.Subject); err != nil {
			return fmt.Errorf("erase user %s: %w", e.Subject, err)
		}
	}
	return nil
}
