package users

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// requestMail posts a message to an address that somebody names. It does the same for an address that nobody has.
func (s *Service) requestMail(ctx context.Context, kind mailKind, in gen.EmailInput) error {
	c := &check{}
	email := c.email("email", in.Email)
	if err := c.err(); err != nil {
		return err
	}
	if err := s.attemptMail(ctx, kind, email); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error { return s.post(ctx, tx, kind, email) })
	s.wakeMailer()
	return err
}

// verifyEmail takes the token of a message as the proof that mail reaches the user.
func (s *Service) verifyEmail(ctx context.Context, token string) (account, error) {
	a, err := s.holderOf(ctx, token, mailVerification)
	if err != nil {
		return account{}, err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		now, err := lockAccount(ctx, tx, a.ID)
		if database.NoRows(err) {
			return errTokenInvalid()
		}
		if err != nil {
			return fmt.Errorf("lock account %s: %w", a.ID, err)
		}
		if err := s.spendMailToken(ctx, tx, a.ID, token, mailVerification); err != nil {
			return err
		}
		a = now
		return s.markVerified(ctx, tx, &a)
	})
	if err != nil {
		return account{}, err
	}
	s.outbox.Wake()
	return a, nil
}

// markVerified notes that mail reaches the user of a locked account, unless that is known.
func (s *Service) markVerified(ctx context.Context, tx *database.Tx, a *account) error {
	if a.VerifiedUs != nil {
		return nil
	}
	now := s.micros()
	a.VerifiedUs = &now
	if _, err := tx.ExecContext(ctx, `UPDATE account SET verified_us = $1 WHERE id = $2`, now, a.ID); err != nil {
		return fmt.Errorf("verify e-mail address of %s: %w", a.ID, err)
	}
	if err := s.audit(ctx, tx, gen.SecurityEventTypeEmailVerified, a.ID, ""); err != nil {
		return err
	}
	return s.outbox.Append(ctx, tx, event.New(eventEmailVerified, a.ID, emailVerified{a.ID}))
}
