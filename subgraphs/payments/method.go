package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
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

// methodsOf are the saved methods of a user, oldest first.
func (s *Service) methodsOf(ctx context.Context, userID string) ([]*gen.PaymentMethod, error) {
	if !id.Is(id.User, userID) {
		return []*gen.PaymentMethod{}, nil
	}
	rows, err := s.db.Read.QueryxContext(ctx, `
		SELECT token, brand, last4, exp_month, exp_year FROM payment_method WHERE user_id = $1 ORDER BY created_us, token`, userID)
	if err != nil {
		return nil, fmt.Errorf("read payment methods: %w", err)
	}
	defer rows.Close()
	methods := []*gen.PaymentMethod{}
	for rows.Next() {
		m := &gen.PaymentMethod{}
		if err := rows.Scan(&m.Token, &m.Brand, &m.Last4, &m.ExpMonth, &m.ExpYear); err != nil {
			return nil, fmt.Errorf("read payment methods: %w", err)
		}
		methods = append(methods, m)
	}
	return methods, rows.Err()
}
