package orders

import (
	"context"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
)

// scopes open the orders of others to commands.
var scopes = map[string]string{"orderCancel": "orders:write", "orderFulfil": "orders:write", "orderRefund": "payments:refund"}

// onOrder runs a command on an order, once by its key, with its saga locked. Orders of others are as absent as
// those that don't exist. fn is not called if the key has done its work before.
func (s *Service) onOrder(ctx context.Context, orderID, command, key string, in any, fn func(tx *database.Tx, sg saga, o *order) error) error {
	who := identity.From(ctx)
	if !idempotency.Valid(key) {
		return refusals{badKey()}
	}
	if !id.Is(id.Order, orderID) {
		return noOrder(orderID)
	}
	k := idempotency.Key{Scope: who.Actor(), Operation: command, Key: key, Request: idempotency.Digest([]any{orderID, in})}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		found, err := readOrders(ctx, tx, "o.id = $1", orderID)
		if err != nil {
			return err
		}
		if len(found) == 0 || !who.May(found[0].UserID, scopes[command]) {
			return noOrder(orderID)
		}
		sg, err := lockSaga(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if found, err = readOrders(ctx, tx, "o.id = $1", orderID); err != nil { // as it is under the lock
			return err
		}
		status, stored, err := idempotency.Claim(ctx, tx, k)
		if err != nil {
			return err
		}
		if status != idempotency.Claimed {
			_, err := replay(status, stored)
			return err
		}
		if err := fn(tx, sg, found[0]); err != nil {
			return err
		}
		return idempotency.Complete(ctx, tx, k, orderID)
	})
}
