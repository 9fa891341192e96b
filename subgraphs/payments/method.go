package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// maxMethods bounds what a user may save.
const maxMethods = 20

// addMethod saves a provider's token for the caller. The same token again is the same method.
func (s *Service) addMethod(ctx context.Context, in gen.PaymentMethodAddInput) (*gen.PaymentMethod, error) {
	if err := checkToken(in.ProviderToken, "providerToken"); err != nil {
		return nil, err
	}
	k, err := keyOf(ctx, "paymentMethodAdd", in.IdempotencyKey, in)
	if err != nil {
		return nil, err
	}
	described, err := s.describe(ctx, in.ProviderToken)
	if errors.Is(err, ErrTokenUnknown) {
		return nil, invalid("providerToken", "the payment provider does not know this token")
	}
	if err != nil {
		return nil, fmt.Errorf("describe payment method: %w", err)
	}
	shown := &gen.PaymentMethod{
		Token: described.Token, Brand: described.Brand, Last4: described.Last4,
		ExpMonth: described.ExpMonth, ExpYear: described.ExpYear,
	}
	userID := identity.From(ctx).Subject
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		status, stored, err := idempotency.Claim(ctx, tx, k)
		switch {
		case err != nil:
			return err
		case status == idempotency.Reused:
			return refuse(gen.PaymentErrorCodeIdempotencyKeyReused, []string{"input", "idempotencyKey"}, "this key was used for another request")
		case status == idempotency.Done:
			return json.Unmarshal(stored, shown)
		}
		if err := s.saveMethod(ctx, tx, userID, shown); err != nil {
			return err
		}
		return idempotency.Complete(ctx, tx, k, shown)
	})
	if err != nil {
		return nil, fmt.Errorf("save payment method: %w", err)
	}
	return shown, nil
}

// describe asks the provider what a token stands for.
func (s *Service) describe(ctx context.Context, token string) (Method, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ProviderTimeout)
	defer cancel()
	return s.cfg.Provider.Method(ctx, token)
}

func (s *Service) saveMethod(ctx context.Context, tx *database.Tx, userID string, m *gen.PaymentMethod) error {
	var saved int
	if err := tx.GetContext(ctx, &saved, `SELECT COUNT(*) FROM payment_method WHERE user_id = $1 AND token <> $2`, userID, m.Token); err != nil {
		return err
	}
	if saved >= maxMethods {
		return invalid("providerToken", "you have %d payment methods already, the most there may be", maxMethods)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO payment_method (user_id, token, brand, last4, exp_month, exp_year, created_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		userID, m.Token, m.Brand, m.Last4, m.ExpMonth, m.ExpYear, s.nowMicros())
	return err
}

// methodsOf are the saved methods of users, oldest first, in one query. Every user has a list.
func (s *Service) methodsOf(ctx context.Context, userIDs []string) (map[string][]*gen.PaymentMethod, error) {
	methods := make(map[string][]*gen.PaymentMethod, len(userIDs))
	for _, userID := range userIDs {
		methods[userID] = []*gen.PaymentMethod{}
	}
	known := id.WellFormed(id.User, userIDs)
	if len(known) > maxReferences {
		return nil, subgraph.Errorf(subgraph.BadInput, "%d users are asked for at once, %d are the most", len(known), maxReferences)
	}
	for part := range slices.Chunk(known, chunk) {
		list, args := database.In(nil, part)
		var rows []struct {
			UserID              string `db:"user_id"`
			Token, Brand, Last4 string
			ExpMonth            int `db:"exp_month"`
			ExpYear             int `db:"exp_year"`
		}
		err := s.db.Read.SelectContext(ctx, &rows, `
			SELECT user_id, token, brand, last4, exp_month, exp_year FROM payment_method
			WHERE user_id IN `+list+` ORDER BY user_id, created_us, token`, args...)
		if err != nil {
			return nil, fmt.Errorf("read payment methods: %w", err)
		}
		for _, r := range rows {
			methods[r.UserID] = append(methods[r.UserID], &gen.PaymentMethod{Token: r.Token, Brand: r.Brand, Last4: r.Last4, ExpMonth: r.ExpMonth, ExpYear: r.ExpYear})
		}
	}
	return methods, nil
}
