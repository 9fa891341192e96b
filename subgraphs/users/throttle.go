package users

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
)

// The throttle of attempts to sign in, and of requests for mail. Every attempt counts before its password is looked
// at, so that attempts side by side count like attempts in a row, and it counts three times: for the client's
// network and the account together, for the account, and for the network. An account is named by its e-mail
// address, known or not. The pair has the fewest attempts, so that somebody who guesses is stopped and the owner,
// who is elsewhere, is not; the account's own limit is for those who guess from many places. Success forgets the
// account's attempts, and gives its network back the one that it was.
//
// One request tries one password. What else is in its document is refused, and counts for the pair and for the
// network, but not for the account: or one request could lock its owner out.

// limit is how often something may be tried, and how long the pauses are beyond that.
type limit struct {
	// free attempts may follow one another at once.
	free int64
	// pause follows them; it doubles with each number of attempts that each is, up to an hour.
	pause time.Duration
	each  int64
}

var (
	perPair    = limit{free: 5, pause: time.Second, each: 1}
	perAccount = limit{free: 20, pause: time.Second, each: 1}
	// A network may be an office or a mobile carrier.
	perNetwork = limit{free: 100, pause: time.Second, each: 10}

	perMailAddress = limit{free: 3, pause: time.Minute, each: 1}
	perMailNetwork = limit{free: 30, pause: time.Minute, each: 5}
)

const (
	maxPause = time.Hour
	// forgetAfter is how long something must be left alone for its attempts to be forgotten.
	forgetAfter = 12 * time.Hour
)

// after is how long nobody may try after the nth attempt in a row.
func (l limit) after(attempts int64) time.Duration {
	if attempts < l.free {
		return 0
	}
	doublings := (attempts - l.free) / l.each
	if doublings > 12 { // more than an hour, and no overflow
		return maxPause
	}
	return min(l.pause<<doublings, maxPause)
}

// counter is a row of the throttle and the limit that holds for it.
type counter struct {
	key string
	limit
}

// counterOf names a counter by a digest: attempts on addresses that nobody has are stored as well.
func counterOf(l limit, kind string, parts ...string) counter {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return counter{key: kind + ":" + hex.EncodeToString(sum[:]), limit: l}
}

// withNetwork adds the counter of the client's network, if that is known, and puts all in the one order in which
// their rows are locked.
func withNetwork(ctx context.Context, l limit, kind string, counters ...counter) []counter {
	if network := identity.ClientFrom(ctx).Network(); network != "" {
		counters = append(counters, counterOf(l, kind, network))
	}
	slices.SortFunc(counters, func(a, b counter) int { return cmp.Compare(a.key, b.key) })
	return counters
}

func pairOf(ctx context.Context, email string) counter {
	return counterOf(perPair, "pair", emailKey(email), identity.ClientFrom(ctx).Network())
}

func accountOf(email string) counter { return counterOf(perAccount, "account", emailKey(email)) }

// attempt counts an attempt to sign in, or refuses it. Those that come in a pause are refused and don't count.
func (s *Service) attempt(ctx context.Context, email string) error {
	if !sharedIn(ctx).passwords.CompareAndSwap(false, true) {
		until, err := s.penalise(ctx, withNetwork(ctx, perNetwork, "network", pairOf(ctx, email)))
		if err != nil {
			return err
		}
		return wait(until, "one request tries one password: send another for each")
	}
	return s.spend(ctx, withNetwork(ctx, perNetwork, "network", pairOf(ctx, email), accountOf(email)),
		"too many attempts to sign in: try again at %s")
}

// attemptMail counts a request for mail of some kind to an address, or refuses it.
func (s *Service) attemptMail(ctx context.Context, kind mailKind, email string) error {
	address := counterOf(perMailAddress, "mail", string(kind), emailKey(email))
	return s.spend(ctx, withNetwork(ctx, perMailNetwork, "mail-network", address),
		"too many messages were asked for: try again at %s")
}

// spend counts one attempt on each counter, or refuses it if any of them is in a pause.
func (s *Service) spend(ctx context.Context, counters []counter, refusal string) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		rows, now, err := s.lockCounters(ctx, tx, counters)
		if err != nil {
			return err
		}
		if until := pauseOf(rows); now.Before(until) {
			return wait(until, refusal, until.Format(time.RFC3339))
		}
		return count(ctx, tx, rows, now)
	})
}

// penalise counts one attempt on each counter, also in a pause, and says when that ends.
func (s *Service) penalise(ctx context.Context, counters []counter) (until time.Time, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		rows, now, err := s.lockCounters(ctx, tx, counters)
		if err != nil {
			return err
		}
		if err := count(ctx, tx, rows, now); err != nil {
			return err
		}
		if until = pauseOf(rows); until.Before(now) {
			until = now
		}
		return nil
	})
	return until, err
}

// counted is a locked row.
type counted struct {
	counter
	Attempts  int64
	LastUs    int64 `db:"last_us"`
	BlockedUs int64 `db:"blocked_us"`
}

// lockCounters returns the rows, and the time behind those who held them.
func (s *Service) lockCounters(ctx context.Context, tx *database.Tx, counters []counter) ([]*counted, time.Time, error) {
	rows := make([]*counted, len(counters))
	for i, c := range counters {
		rows[i] = &counted{counter: c}
		// The update changes nothing: it locks the row that is there already.
		err := tx.GetContext(ctx, rows[i], `
			INSERT INTO throttle (key, attempts, last_us, blocked_us) VALUES ($1, 0, 0, 0)
			ON CONFLICT (key) DO UPDATE SET key = excluded.key
			RETURNING attempts, last_us, blocked_us`, c.key)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("count attempt: %w", err)
		}
	}
	return rows, s.cfg.Now(), nil
}

// pauseOf is when the last pause ends.
func pauseOf(rows []*counted) time.Time {
	last := int64(0)
	for _, r := range rows {
		last = max(last, r.BlockedUs)
	}
	return database.Time(last)
}

func count(ctx context.Context, tx *database.Tx, rows []*counted, now time.Time) error {
	for _, r := range rows {
		if now.Sub(database.Time(r.LastUs)) > forgetAfter {
			r.Attempts = 0
		}
		r.Attempts++
		r.BlockedUs = 0
		if p := r.after(r.Attempts); p > 0 {
			r.BlockedUs = database.Micros(now.Add(p))
		}
		_, err := tx.ExecContext(ctx, `UPDATE throttle SET attempts = $1, last_us = $2, blocked_us = $3 WHERE key = $4`,
			r.Attempts, database.Micros(now), r.BlockedUs, r.key)
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
	}
	return nil
}

// forgive forgets the attempts on an account, since its owner has signed in, and takes theirs back from the
// network: those who share it are not to pay for one another's success.
func forgive(ctx context.Context, tx *database.Tx, email string) error {
	return settle(ctx, tx, withNetwork(ctx, perNetwork, "network", pairOf(ctx, email), accountOf(email)))
}

// forgiveAccount is forgive where no attempt was counted before.
func forgiveAccount(ctx context.Context, tx *database.Tx, email string) error {
	return settle(ctx, tx, []counter{accountOf(email), pairOf(ctx, email)})
}

func settle(ctx context.Context, tx *database.Tx, counters []counter) error {
	for _, c := range counters {
		statement, args := `DELETE FROM throttle WHERE key = $1`, []any{c.key}
		if c.limit == perNetwork {
			statement = `UPDATE throttle SET attempts = attempts - 1, blocked_us = CASE WHEN attempts <= $1 THEN 0 ELSE blocked_us END
				WHERE attempts > 0 AND key = $2`
			args = []any{c.free, c.key}
		}
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return fmt.Errorf("forget attempts: %w", err)
		}
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
