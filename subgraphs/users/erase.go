package users

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// An account that its owner deletes goes on for a while, without sessions: somebody else may have done it, or the
// owner may think better of it. They sign in and cancel it. Behind that time all that is personal is erased here,
// and an event tells the other services.

// deleteAccount lets an account be erased, for whoever knows its password.
func (s *Service) deleteAccount(ctx context.Context, currentPassword string) (account, error) {
	who, err := s.person(ctx)
	if err != nil {
		return account{}, err
	}
	a, err := accountByID(ctx, s.db.Read, who.Subject)
	if err != nil {
		return account{}, fmt.Errorf("account %s: %w", who.Subject, err)
	}
	if a, err = s.confirm(ctx, a, currentPassword); err != nil {
		return account{}, err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		now, err := lockAccount(ctx, tx, a.ID)
		if err != nil {
			return fmt.Errorf("lock account %s: %w", a.ID, err)
		}
		if now.Password != a.Password {
			return errCurrentPassword()
		}
		// Of the roles that it has at this moment: there must always be somebody who can give that role.
		if slices.Contains(splitRoles(now.Roles), gen.RoleAdmin) {
			return refuse(gen.AuthErrorCodeInvalidInput, "you are an administrator: have another one take that role from you first")
		}
		a = now
		return s.scheduleErasure(ctx, tx, &a)
	})
	if err != nil {
		return account{}, err
	}
	s.outbox.Wake()
	s.wakeMailer()
	return a, nil
}

func (s *Service) scheduleErasure(ctx context.Context, tx *database.Tx, a *account) error {
	if err := forgive(ctx, tx, a.EmailKey); err != nil {
		return err
	}
	if _, err := s.revoke(ctx, tx, a.ID, "", "", revokedForDeletion); err != nil {
		return err
	}
	if a.EraseUs != nil {
		return nil
	}
	at := database.Micros(s.cfg.Now().Add(s.cfg.DeletionGrace))
	a.EraseUs = &at
	if _, err := tx.ExecContext(ctx, `UPDATE account SET erase_us = $1 WHERE id = $2`, at, a.ID); err != nil {
		return fmt.Errorf("delete account %s: %w", a.ID, err)
	}
	if err := s.audit(ctx, tx, gen.SecurityEventTypeDeletionRequested, a.ID, ""); err != nil {
		return err
	}
	return s.post(ctx, tx, mailDeletion, a.Email)
}

// keepAccount cancels the deletion of the account of the user who asks. It may be repeated.
func (s *Service) keepAccount(ctx context.Context) (account, error) {
	who, err := s.person(ctx)
	if err != nil {
		return account{}, err
	}
	var a account
	err = s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		a, err = lockAccount(ctx, tx, who.Subject)
		if database.NoRows(err) {
			return errUnauthenticated // it was erased at this moment
		}
		if err != nil || a.EraseUs == nil {
			return err
		}
		a.EraseUs = nil
		if _, err := tx.ExecContext(ctx, `UPDATE account SET erase_us = NULL WHERE id = $1`, a.ID); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, gen.SecurityEventTypeDeletionCancelled, a.ID, ""); err != nil {
			return err
		}
		return s.post(ctx, tx, mailDeletionOff, a.Email)
	})
	if err != nil {
		return account{}, fmt.Errorf("keep account %s: %w", who.Subject, err)
	}
	s.wakeMailer()
	return a, nil
}

// eraseBatch bounds what one round of housekeeping erases.
const eraseBatch = 100

// eraseDue erases the accounts whose time has come.
func (s *Service) eraseDue(ctx context.Context) error {
	var ids []string
	err := s.db.Read.SelectContext(ctx, &ids, `SELECT id FROM account WHERE erase_us <= $1 ORDER BY erase_us LIMIT $2`, s.micros(), eraseBatch)
	if err != nil {
		return fmt.Errorf("look for accounts to erase: %w", err)
	}
	ctx = identity.With(ctx, identity.Identity{Service: "users"})
	var failed error
	for _, userID := range ids {
		err := s.db.Tx(ctx, func(tx *database.Tx) error { return s.erase(ctx, tx, userID) })
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("erase account %s: %w", userID, err))
		}
	}
	s.outbox.Wake()
	s.wakeMailer()
	return failed
}

// erase removes an account with all that is personal, unless that was cancelled at this moment. What stays says
// that there was an account with this id, and what happened to it.
func (s *Service) erase(ctx context.Context, tx *database.Tx, userID string) error {
	a, err := lockAccount(ctx, tx, userID)
	if database.NoRows(err) || (err == nil && (a.EraseUs == nil || *a.EraseUs > s.micros())) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, step := range []struct{ statement, arg string }{
		{`DELETE FROM security_event_origin WHERE event_id IN (SELECT id FROM security_event WHERE account_id = $1)`, a.ID},
		{`DELETE FROM mail WHERE recipient = $1`, a.Email},
		{`DELETE FROM idempotency WHERE scope = $1`, a.ID},
		// Addresses, sessions and tokens go with it.
		{`DELETE FROM account WHERE id = $1`, a.ID},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, step.arg); err != nil {
			return err
		}
	}
	if err := s.audit(ctx, tx, gen.SecurityEventTypeAccountErased, a.ID, ""); err != nil {
		return err
	}
	if err := s.post(ctx, tx, mailErased, a.Email); err != nil {
		return err
	}
	if err := fault.Point("users.erased"); err != nil {
		return err
	}
	return s.outbox.Append(ctx, tx, event.New(eventDeleted, a.ID, deleted{a.ID, s.cfg.Now().UTC()}))
}
