package users

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// resetPassword sets another password for whoever has the token of a message, and ends all sessions. A password
// that is refused leaves the token good.
func (s *Service) resetPassword(ctx context.Context, in gen.PasswordResetInput) (account, error) {
	a, err := s.holderOf(ctx, in.Token, mailReset)
	if err != nil {
		return account{}, err
	}
	c := &check{}
	c.password("newPassword", in.NewPassword, a.Email, a.DisplayName)
	if err := c.err(); err != nil {
		return account{}, err
	}
	leave, err := s.queue()
	if err != nil {
		return account{}, err
	}
	hash, err := s.hasher.hash(ctx, in.NewPassword)
	leave()
	if err != nil {
		return account{}, fmt.Errorf("hash password: %w", err)
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		a, err = s.storeReset(ctx, tx, a.ID, in.Token, hash)
		return err
	})
	if err != nil {
		return account{}, err
	}
	s.outbox.Wake()
	s.wakeMailer()
	return a, fault.Point("users.password.reset")
}

func (s *Service) storeReset(ctx context.Context, tx *database.Tx, userID, token, hash string) (account, error) {
	a, err := lockAccount(ctx, tx, userID)
	if database.NoRows(err) {
		return account{}, errTokenInvalid()
	}
	if err != nil {
		return account{}, fmt.Errorf("lock account %s: %w", userID, err)
	}
	if err := s.spendMailToken(ctx, tx, a.ID, token, mailReset); err != nil {
		return account{}, err
	}
	a.Password = hash
	if _, err := tx.ExecContext(ctx, `UPDATE account SET password = $1 WHERE id = $2`, hash, a.ID); err != nil {
		return account{}, fmt.Errorf("reset password of %s: %w", a.ID, err)
	}
	if err := forgiveAccount(ctx, tx, a.EmailKey); err != nil {
		return account{}, err
	}
	if _, err := s.revoke(ctx, tx, a.ID, "", "", revokedForReset); err != nil {
		return account{}, err
	}
	if err := s.audit(ctx, tx, gen.SecurityEventTypePasswordReset, a.ID, ""); err != nil {
		return account{}, err
	}
	if err := s.markVerified(ctx, tx, &a); err != nil {
		return account{}, err
	}
	if err := s.post(ctx, tx, mailPasswordReset, a.Email); err != nil {
		return account{}, err
	}
	return a, s.outbox.Append(ctx, tx, event.New(eventPasswordChanged, a.ID, passwordChanged{a.ID}))
}
