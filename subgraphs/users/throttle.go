package users

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// The throttle of attempts to sign in. An account is named by its e-mail address, known or not, and every
// attempt counts before its password is looked at: attempts side by side count like attempts in a row. Success
// forgets them. The price is that a stranger can keep somebody from signing in, for an hour at most, though not
// from going on with the sessions that they have.
const (
	// freeAttempts may follow one another at once.
	freeAttempts = 5
	// firstPause follows them; each further attempt doubles it.
	firstPause = time.Second
	maxPause   = time.Hour
	// forgetAfter is how long an account must be left alone for its attempts to be forgotten.
	forgetAfter = 12 * time.Hour
)

// pause is how long nobody may sign in after the nth attempt in a row.
func pause(attempts int64) time.Duration {
	if attempts < freeAttempts {
		return 0
	}
	doublings := attempts - freeAttempts
	if doublings > 12 { // more than an hour, and no overflow
		return maxPause
	}
	return min(firstPause<<doublings, maxPause)
}

// throttleKey does not hold the address: attempts on addresses that nobody has are stored as well.
func throttleKey(email string) string {
	sum := sha256.Sum256([]byte(emailKey(email)))
	return "account:" + hex.EncodeToString(sum[:])
}

// attempt counts an attempt to sign in, or refuses it. Those that are refused don't count.
func (s *Service) attempt(ctx context.Context, email string) error {
	key := throttleKey(email)
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		var t struct {
			Attempts  int64
			LastUs    int64 `db:"last_us"`
			BlockedUs int64 `db:"blocked_us"`
		}
		// The update changes nothing: it locks the row that is there already.
		err := tx.GetContext(ctx, &t, `
			INSERT INTO throttle (key, attempts, last_us, blocked_us) VALUES ($1, 0, 0, 0)
			ON CONFLICT (key) DO UPDATE SET key = excluded.key
			RETURNING attempts, last_us, blocked_us`, key)
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		now := s.cfg.Now() // only now, behind those who held the row
		if until := database.Time(t.BlockedUs); now.Before(until) {
			return wait(until, "too many attempts to sign in to this account: try again at %s", until.Format(time.RFC3339))
		}
		if now.Sub(database.Time(t.LastUs)) > forgetAfter {
			t.Attempts = 0
		}
		t.Attempts++
		blocked := int64(0)
		if p := pause(t.Attempts); p > 0 {
			blocked = database.Micros(now.Add(p))
		}
		_, err = tx.ExecContext(ctx, `UPDATE throttle SET attempts = $1, last_us = $2, blocked_us = $3 WHERE key = $4`,
			t.Attempts, database.Micros(now), blocked, key)
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		return nil
	})
}

// forgive forgets the attempts on an account, since its owner has signed in.
func (s *Service) forgive(ctx context.Context, tx *database.Tx, email string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM throttle WHERE key = $1`, throttleKey(email)); err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	return nil
}

// forgetAttempts removes what counts no more.
func (s *Service) forgetAttempts(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM throttle WHERE last_us < $1`, database.Micros(s.cfg.Now().Add(-forgetAfter)))
		return err
	})
}
