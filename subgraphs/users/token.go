package users

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// refreshToken is the secret of 256 bits that a refresh token holds.
type refreshToken [32]byte

// refreshPrefix lets scanners for leaked secrets recognise our tokens.
const refreshPrefix = "agora_rt_"

// grace is how long a spent token is answered with its successor again: the answer to its first use may have
// been lost on the way.
const grace = 10 * time.Second

func newRefreshToken() (t refreshToken) {
	rand.Read(t[:])
	return t
}

func parseRefreshToken(text string) (t refreshToken, ok bool) {
	encoded, ok := strings.CutPrefix(text, refreshPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(raw) != len(t) {
		return t, false
	}
	return refreshToken(raw), true
}

func (t refreshToken) String() string {
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(t[:])
}

func (t refreshToken) hash() string {
	sum := sha256.Sum256(t[:])
	return hex.EncodeToString(sum[:])
}

// successor is the next token, made of this one and a random salt of 256 bits. So it can be made again for
// somebody who shows this token, although neither is stored: the database has the salt alone, which is worth
// nothing without the token.
func (t refreshToken) successor(salt []byte) (next refreshToken) {
	mac := hmac.New(sha256.New, t[:])
	mac.Write(salt)
	return refreshToken(mac.Sum(nil))
}

// spentToken is a row of refresh_token.
type spentToken struct {
	Hash      string
	SessionID string  `db:"session_id"`
	ExpiresUs int64   `db:"expires_us"`
	SpentUs   *int64  `db:"spent_us"`
	Salt      *string `db:"salt"`
}

func insertRefreshToken(ctx context.Context, tx *database.Tx, ses session) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO refresh_token (hash, session_id, created_us, expires_us) VALUES ($1, $2, $3, $4)`,
		ses.Token, ses.ID, ses.LastSeenUs, ses.ExpiresUs)
	if err != nil {
		return fmt.Errorf("insert refresh token: %w", err)
	}
	return nil
}

func errSessionExpired() refused {
	return refuse(gen.AuthErrorCodeSessionExpired, "this session has ended: sign in again").at("input", "refreshToken")
}

func errSessionReused() refused {
	return refuse(gen.AuthErrorCodeSessionReused,
		"this refresh token was used before, perhaps by somebody else, so the whole session was ended: sign in again").at("input", "refreshToken")
}

// refresh exchanges a refresh token for the next one and a new access token.
func (s *Service) refresh(ctx context.Context, text string) (account, *gen.TokenPair, error) {
	token, ok := parseRefreshToken(text)
	if !ok {
		return account{}, nil, errSessionExpired()
	}
	key, err := s.signingKey(ctx)
	if err != nil {
		return account{}, nil, err
	}
	var (
		a       account
		ses     session
		next    refreshToken
		verdict refused
	)
	err = s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if ses, next, verdict, err = s.exchange(ctx, tx, token); err != nil || verdict != nil {
			return err
		}
		a, err = accountByID(ctx, tx, ses.AccountID)
		return err
	})
	if err != nil {
		return account{}, nil, fmt.Errorf("refresh session: %w", err)
	}
	if err := fault.Point("users.refreshed"); err != nil {
		return account{}, nil, err
	}
	if verdict != nil {
		s.outbox.Wake()
		return account{}, nil, verdict
	}
	pair, err := s.tokens(key, a, ses, next)
	return a, pair, err
}

// exchange finds the token's session, locks it and decides. A verdict is no error: what it has changed is to be
// committed.
func (s *Service) exchange(ctx context.Context, tx *database.Tx, token refreshToken) (ses session, next refreshToken, verdict refused, err error) {
	err = tx.GetContext(ctx, &ses, `
		SELECT `+sessionColumns+` FROM session
		WHERE id = (SELECT session_id FROM refresh_token WHERE hash = $1)`+tx.Dialect.ForUpdate(), token.hash())
	if database.NoRows(err) {
		return ses, next, errSessionExpired(), nil
	}
	if err != nil {
		return ses, next, nil, err
	}
	// Only now, since the session's lock is what all of its tokens wait for.
	var row spentToken
	err = tx.GetContext(ctx, &row, `SELECT hash, session_id, expires_us, spent_us, salt FROM refresh_token WHERE hash = $1`, token.hash())
	if err != nil {
		return ses, next, nil, err
	}
	now := s.micros()
	switch {
	case ses.RevokedFor != nil && *ses.RevokedFor == revokedForReuse:
		return ses, next, errSessionReused(), nil
	case ses.RevokedUs != nil || ses.ExpiresUs <= now || row.ExpiresUs <= now:
		return ses, next, errSessionExpired(), nil
	case row.SpentUs == nil:
		next, err = s.rotate(ctx, tx, token, &ses)
		return ses, next, nil, err
	case row.Salt != nil && now <= *row.SpentUs+grace.Microseconds():
		salt, err := hex.DecodeString(*row.Salt)
		if next = token.successor(salt); err == nil && next.hash() == ses.Token {
			return ses, next, nil, nil
		}
	}
	s.cfg.Log.WarnContext(ctx, "refresh token reused", "user", ses.AccountID, "session", ses.ID)
	if err := s.audit(ctx, tx, gen.SecurityEventTypeRefreshReused, ses.AccountID, ses.ID); err != nil {
		return ses, next, nil, err
	}
	_, err = s.revoke(ctx, tx, ses.AccountID, ses.ID, "", revokedForReuse)
	return ses, next, errSessionReused(), err
}

// rotate spends the current token of a session and makes the next one.
func (s *Service) rotate(ctx context.Context, tx *database.Tx, token refreshToken, ses *session) (refreshToken, error) {
	salt := random(sha256.Size)
	next := token.successor(salt)
	ses.Token, ses.LastSeenUs, ses.ExpiresUs = next.hash(), s.micros(), s.sessionEnd(*ses)
	// The one before this has lost its grace, and its salt with it.
	_, err := tx.ExecContext(ctx, `UPDATE refresh_token SET salt = NULL WHERE session_id = $1 AND salt IS NOT NULL`, ses.ID)
	if err != nil {
		return next, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE refresh_token SET spent_us = $1, salt = $2 WHERE hash = $3`, ses.LastSeenUs, hex.EncodeToString(salt), token.hash())
	if err != nil {
		return next, err
	}
	if address, agent := origin(ctx); agent != "" || address != "" { // or it came from somebody who tells nothing
		ses.ClientAddress, ses.UserAgent = address, agent
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE session SET token = $1, last_seen_us = $2, expires_us = $3, client_address = $4, user_agent = $5 WHERE id = $6`,
		ses.Token, ses.LastSeenUs, ses.ExpiresUs, ses.ClientAddress, ses.UserAgent, ses.ID)
	if err != nil {
		return next, err
	}
	return next, insertRefreshToken(ctx, tx, *ses)
}

// tokens is what a login or a refresh gives out.
func (s *Service) tokens(key jose.JSONWebKey, a account, ses session, refresh refreshToken) (*gen.TokenPair, error) {
	now := s.cfg.Now()
	access, err := identity.AccessToken(key, rand.Text(), a.ID, ses.ID, now, s.cfg.AccessLife, scopes(splitRoles(a.Roles)))
	if err != nil {
		return nil, fmt.Errorf("sign access token: %w", err)
	}
	return &gen.TokenPair{
		AccessToken: access,
		// A token says when it expires in whole seconds.
		AccessTokenExpiresAt:  now.Add(s.cfg.AccessLife).UTC().Truncate(time.Second),
		RefreshToken:          refresh.String(),
		RefreshTokenExpiresAt: database.Time(ses.ExpiresUs),
	}, nil
}
