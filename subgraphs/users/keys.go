package users

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/database"
)

// Signing keys succeed one another by time: the key whose turn came last is the current one, and there is
// always a next one, published long before it signs, so that no verifier meets a key that it could not know. A
// key is retired once the last token that it signed has expired.

// jwksLife is how long verifiers may keep the key set: a key is published at least as long before it signs.
const jwksLife = time.Hour

// ringLife is how long this process goes without asking the database for keys that another replica made.
const ringLife = 10 * time.Second

// verifyMargin is added to the life of access tokens before a key is retired, for clocks that differ.
const verifyMargin = time.Minute

// signingKey is a row of the table.
type signingKey struct {
	ID        string
	Public    string
	Sealed    string
	CreatedUs int64 `db:"created_us"`
	SignsUs   int64 `db:"signs_us"`

	public jose.JSONWebKey
	// private has no key in it if the row was sealed under another secret.
	private jose.JSONWebKey
}

// keyring is what this process knows of the keys.
type keyring struct {
	mu     sync.Mutex
	keys   []signingKey // in the order of their turns
	loaded time.Time
}

// JWKS is the set of public keys that access tokens verify with: the current, the next and those whose tokens
// have not all expired. It is an identity.JWKS.
func (s *Service) JWKS(ctx context.Context) (*jose.JSONWebKeySet, error) {
	keys, err := s.ring(ctx)
	if err != nil {
		return nil, err
	}
	set := &jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(keys))}
	for i := range keys {
		if !s.retired(keys, i) {
			set.Keys = append(set.Keys, keys[i].public)
		}
	}
	return set, nil
}

// signingKey is the key whose turn it is.
func (s *Service) signingKey(ctx context.Context) (jose.JSONWebKey, error) {
	keys, err := s.ring(ctx)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	return keys[current(keys, s.micros())].private, nil
}

// RotateKeys brings the next key's turn forward, to as soon as every verifier can know it, and returns when
// that is.
func (s *Service) RotateKeys(ctx context.Context) (time.Time, error) {
	var turn int64
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		keys, err := s.lockKeys(ctx, tx)
		if err != nil {
			return err
		}
		next := keys[upcoming(keys, s.micros())]
		turn = min(next.SignsUs, max(s.micros(), next.CreatedUs+jwksLife.Microseconds()))
		_, err = tx.ExecContext(ctx, `UPDATE signing_key SET signs_us = $1 WHERE id = $2`, turn, next.ID)
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("rotate signing keys: %w", err)
	}
	s.keys.mu.Lock()
	s.keys.loaded = time.Time{}
	s.keys.mu.Unlock()
	_, err = s.ring(ctx)
	return database.Time(turn), err
}

// ring returns the keys, among them a current and a next one. It goes to the database seldom, and does without
// it for a while if it must: a database that is away must not make tokens invalid. It is not called in a
// transaction, since it may need one.
func (s *Service) ring(ctx context.Context) ([]signingKey, error) {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	now := s.cfg.Now()
	usable := complete(s.keys.keys, database.Micros(now))
	if age := now.Sub(s.keys.loaded); usable && age >= 0 && age < ringLife {
		return s.keys.keys, nil
	}
	keys, err := s.readKeys(ctx, s.db.Read)
	if err == nil && !complete(keys, database.Micros(now)) {
		err = s.db.Tx(ctx, func(tx *database.Tx) (err error) {
			keys, err = s.lockKeys(ctx, tx)
			return err
		})
	}
	if err != nil && usable && ctx.Err() == nil {
		s.cfg.Log.WarnContext(ctx, "read signing keys", "error", err)
		s.keys.loaded = now
		return s.keys.keys, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	s.keys.keys, s.keys.loaded = keys, now
	return keys, nil
}

// current is the index of the key that signs: the last whose turn has come; -1 if there is none.
func current(keys []signingKey, now int64) int {
	for i, k := range slices.Backward(keys) {
		if k.SignsUs <= now && k.private.Key != nil {
			return i
		}
	}
	return -1
}

// upcoming is the index of the key that signs next; -1 if there is none.
func upcoming(keys []signingKey, now int64) int {
	return slices.IndexFunc(keys, func(k signingKey) bool { return k.SignsUs > now && k.private.Key != nil })
}

func complete(keys []signingKey, now int64) bool {
	return current(keys, now) >= 0 && upcoming(keys, now) >= 0
}

// retired reports whether no token can be valid any more that a key signed.
func (s *Service) retired(keys []signingKey, i int) bool {
	grace := (s.cfg.AccessLife + verifyMargin).Microseconds()
	return i+1 < len(keys) && keys[i+1].SignsUs+grace < s.micros() && i < current(keys, s.micros())
}

// retireKeys deletes retired keys.
func (s *Service) retireKeys(ctx context.Context) error {
	keys, err := s.ring(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for i := range keys {
		if s.retired(keys, i) {
			ids = append(ids, keys[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		list, args := database.In(nil, ids)
		_, err := tx.ExecContext(ctx, `DELETE FROM signing_key WHERE id IN `+list, args...)
		return err
	})
}

func (s *Service) readKeys(ctx context.Context, q database.Querier) ([]signingKey, error) {
	var keys []signingKey
	if err := q.SelectContext(ctx, &keys, `SELECT id, public, sealed, created_us, signs_us FROM signing_key ORDER BY signs_us, id`); err != nil {
		return nil, err
	}
	for i := range keys {
		if err := keys[i].public.UnmarshalJSON([]byte(keys[i].Public)); err != nil {
			return nil, fmt.Errorf("decode public key %s: %w", keys[i].ID, err)
		}
		keys[i].private = s.open(keys[i])
	}
	return keys, nil
}

// lockKeys reads the keys while no other replica changes them, and adds those that are missing.
func (s *Service) lockKeys(ctx context.Context, tx *database.Tx) ([]signingKey, error) {
	var one int
	if err := tx.GetContext(ctx, &one, `SELECT id FROM signing_key_lock`+tx.Dialect.ForUpdate()); err != nil {
		return nil, err
	}
	keys, err := s.readKeys(ctx, tx)
	if err != nil {
		return nil, err
	}
	now := s.micros()
	if current(keys, now) < 0 {
		if keys, err = s.addKey(ctx, tx, keys, now); err != nil {
			return nil, err
		}
	}
	if upcoming(keys, now) < 0 {
		turn := keys[current(keys, now)].SignsUs + s.cfg.KeyLife.Microseconds()
		return s.addKey(ctx, tx, keys, max(turn, now+jwksLife.Microseconds()))
	}
	return keys, nil
}

func (s *Service) addKey(ctx context.Context, tx *database.Tx, keys []signingKey, turn int64) ([]signingKey, error) {
	k, err := s.newKey(turn)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO signing_key (id, public, sealed, created_us, signs_us) VALUES ($1, $2, $3, $4, $5)`,
		k.ID, k.Public, k.Sealed, k.CreatedUs, k.SignsUs)
	if err != nil {
		return nil, fmt.Errorf("insert signing key: %w", err)
	}
	keys = append(keys, k)
	slices.SortFunc(keys, func(a, b signingKey) int { return cmp.Compare(a.SignsUs, b.SignsUs) })
	return keys, nil
}

func (s *Service) newKey(turn int64) (signingKey, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return signingKey{}, err
	}
	k := signingKey{ID: rand.Text(), CreatedUs: s.micros(), SignsUs: turn}
	k.public = jose.JSONWebKey{Key: public, KeyID: k.ID, Algorithm: string(jose.EdDSA), Use: "sig"}
	k.private = jose.JSONWebKey{Key: private, KeyID: k.ID, Algorithm: string(jose.EdDSA), Use: "sig"}
	text, err := json.Marshal(k.public)
	if err != nil {
		return signingKey{}, err
	}
	k.Public, k.Sealed = string(text), s.seal(k.ID, private.Seed())
	return k, nil
}
