package users

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/mail"
)

// Mail goes out like events do: a row is written in the transaction of what it tells of, and whoever carries it out
// repeats that until it is done. A row says only what is to be said to which address. What depends on the account is
// found out, and a token made, when the mail is sent: so no token is ever stored, and a request for mail does the
// same whether anybody has the address or not.

// mailKind is what a message is about: a key of letters.
type mailKind string

const (
	mailVerification    mailKind = "verification"
	mailReset           mailKind = "reset"
	mailPasswordChanged mailKind = "password_changed"
	mailPasswordReset   mailKind = "password_reset"
	mailDeletion        mailKind = "deletion"
	mailDeletionOff     mailKind = "deletion_cancelled"
	mailErased          mailKind = "erased"
)

const (
	// mailLease is how long a row belongs to whoever sends it: longer than a mail.Sender takes.
	mailLease = time.Minute
	// mailInterval is how often the mailer looks without being woken.
	mailInterval = 5 * time.Second
	// firstRetry and maxRetry bound the pauses between the tries, which double.
	firstRetry = 5 * time.Second
	maxRetry   = time.Hour
)

// mailIDPrefix is that of the ids of messages.
const mailIDPrefix = "msg"

// outgoing is a row of mail.
type outgoing struct {
	ID        string
	Kind      mailKind
	Recipient string
	ExpiresUs int64 `db:"expires_us"`
	Attempts  int64
}

// post writes a message that is to be sent, in the transaction of what it tells of. Call wakeMailer after its
// commit.
func (s *Service) post(ctx context.Context, tx *database.Tx, kind mailKind, recipient string) error {
	now := s.cfg.Now()
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mail (id, kind, recipient, created_us, next_us, expires_us, attempts) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
		id.New(mailIDPrefix), kind, recipient, database.Micros(now), database.Micros(now), database.Micros(now.Add(letters[kind].life)))
	if err != nil {
		return fmt.Errorf("post mail %s: %w", kind, err)
	}
	return nil
}

// wakeMailer tells the mailer that there is something to send.
func (s *Service) wakeMailer() {
	select {
	case s.mailWake <- struct{}{}:
	default:
	}
}

// runMailer sends what is posted until ctx ends.
func (s *Service) runMailer(ctx context.Context) {
	timer := time.NewTicker(mailInterval)
	defer timer.Stop()
	for {
		more, err := s.sendNext(ctx)
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "send mail", "error", err)
		}
		if more && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-s.mailWake:
		case <-timer.C:
		}
	}
}

// sendNext sends one message that is due, and reports whether there was one.
func (s *Service) sendNext(ctx context.Context) (bool, error) {
	m, ok, err := s.claimMail(ctx)
	if err != nil || !ok {
		return false, err
	}
	message, wanted, err := s.write(ctx, m)
	if err == nil && wanted {
		err = s.cfg.sender.Send(ctx, message)
	}
	if err == nil {
		err = fault.Point("users.mail.sent")
	}
	if err != nil && !errors.Is(err, mail.ErrRefused) {
		return true, errors.Join(fmt.Errorf("message %s, try %d: %w", m.ID, m.Attempts, err), s.postpone(ctx, m))
	}
	return true, errors.Join(err, s.doneWith(ctx, m))
}

// claimMail takes the next message that is due, for as long as the lease: if this process ends meanwhile, another
// takes it then. One whose time is over is dropped.
func (s *Service) claimMail(ctx context.Context) (m outgoing, ok bool, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		now := s.micros()
		err := tx.GetContext(ctx, &m, `
			SELECT id, kind, recipient, expires_us, attempts FROM mail WHERE next_us <= $1
			ORDER BY next_us, id LIMIT 1`+tx.Dialect.SkipLocked(), now)
		if database.NoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		m.Attempts++
		ok = true
		_, err = tx.ExecContext(ctx, `UPDATE mail SET next_us = $1, attempts = $2 WHERE id = $3`,
			now+mailLease.Microseconds(), m.Attempts, m.ID)
		return err
	})
	if err != nil {
		return m, false, fmt.Errorf("claim message: %w", err)
	}
	return m, ok, nil
}

func (s *Service) postpone(ctx context.Context, m outgoing) error {
	pause := maxRetry
	if doublings := m.Attempts - 1; doublings < 10 {
		pause = min(firstRetry<<doublings, maxRetry)
	}
	ctx = context.WithoutCancel(ctx)
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE mail SET next_us = $1 WHERE id = $2`, database.Micros(s.cfg.Now().Add(pause)), m.ID)
		return err
	})
}

func (s *Service) doneWith(ctx context.Context, m outgoing) error {
	// It has been sent, also if the service is stopping: the row must not stay.
	ctx = context.WithoutCancel(ctx)
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM mail WHERE id = $1`, m.ID)
		return err
	})
}
