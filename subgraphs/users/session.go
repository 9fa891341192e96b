package users

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// session is a row of the table: a family of refresh tokens.
type session struct {
	ID         string
	AccountID  string `db:"account_id"`
	UserAgent  string `db:"user_agent"`
	CreatedUs  int64  `db:"created_us"`
	LastSeenUs int64  `db:"last_seen_us"`
	ExpiresUs  int64  `db:"expires_us"`
	// Token is the hash of the current refresh token.
	Token      string
	RevokedUs  *int64      `db:"revoked_us"`
	RevokedFor *revocation `db:"revoked_for"`
	// ClientAddress is where the client was when it was last seen; empty if that is not known.
	ClientAddress string `db:"client_address"`
}

const sessionColumns = `id, account_id, user_agent, created_us, last_seen_us, expires_us, token, revoked_us, revoked_for, client_address`

// revocation is why a session was ended before its time.
type revocation string

const (
	revokedByLogout    revocation = "logout"
	revokedForPassword revocation = "password_changed"
	revokedForReuse    revocation = "reused"
	revokedForReset    revocation = "password_reset"
	revokedForDeletion revocation = "account_deleted"
	// revokedByOwner is by a list of sessions, of which one is not wanted; revokedByStaff is that of another.
	revokedByOwner revocation = "revoked"
	revokedByStaff revocation = "revoked_by_staff"
)

// maxUserAgent is how much of a User-Agent is kept, in bytes.
const maxUserAgent = 256

var errUnauthenticated = subgraph.Errorf("UNAUTHENTICATED", "sign in first")

// person is the user who asks, with a session that has not ended: an access token outlives its session by
// minutes, but changes nothing here in them.
func (s *Service) person(ctx context.Context) (identity.Identity, error) {
	who := identity.From(ctx)
	if who.Anonymous() {
		return who, errUnauthenticated
	}
	if who.Subject == "" {
		return who, subgraph.Forbidden("do this as a service: it takes a user")
	}
	return who, s.requireSession(ctx, who)
}

func (s *Service) requireSession(ctx context.Context, who identity.Identity) error {
	var live int
	err := s.db.Read.GetContext(ctx, &live, `
		SELECT count(*) FROM session WHERE id = $1 AND account_id = $2 AND revoked_us IS NULL AND expires_us > $3`,
		who.Session, who.Subject, s.micros())
	if err != nil {
		return fmt.Errorf("look up session: %w", err)
	}
	if live == 0 {
		return subgraph.Errorf("UNAUTHENTICATED", "your session has ended: sign in again")
	}
	return nil
}

// login begins a session.
func (s *Service) login(ctx context.Context, in gen.LoginInput) (account, *gen.TokenPair, error) {
	a, err := s.authenticate(ctx, in.Email, in.Password)
	if err != nil {
		return account{}, nil, err
	}
	key, err := s.signingKey(ctx)
	if err != nil {
		return account{}, nil, err
	}
	token, now := newRefreshToken(), s.micros()
	address, agent := origin(ctx)
	ses := session{
		ID: id.New(id.Session), AccountID: a.ID, UserAgent: agent, ClientAddress: address,
		CreatedUs: now, LastSeenUs: now, Token: token.hash(),
	}
	ses.ExpiresUs = s.sessionEnd(ses)
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		// Whoever changes the password ends the sessions that there are: none must begin with the former one.
		current, err := lockAccount(ctx, tx, a.ID)
		if err != nil {
			return fmt.Errorf("lock account %s: %w", a.ID, err)
		}
		if current.Password != a.Password {
			return refuse(gen.AuthErrorCodeInvalidCredentials, "the password was changed at this moment")
		}
		if err := forgive(ctx, tx, a.EmailKey); err != nil {
			return err
		}
		if err := s.auditAs(ctx, tx, a.ID, gen.SecurityEventTypeLoginSucceeded, a.ID, ses.ID); err != nil {
			return err
		}
		return insertSession(ctx, tx, ses)
	})
	if err != nil {
		return account{}, nil, err
	}
	pair, err := s.tokens(key, a, ses, token)
	return a, pair, err
}

// sessionEnd is when a session ends that is seen now and never again.
func (s *Service) sessionEnd(ses session) int64 {
	idle := s.cfg.Now().Add(s.cfg.RefreshLife)
	bound := database.Time(ses.CreatedUs).Add(s.cfg.SessionLife)
	return min(database.Micros(idle), database.Micros(bound))
}

func insertSession(ctx context.Context, tx *database.Tx, ses session) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO session (id, account_id, user_agent, created_us, last_seen_us, expires_us, token, client_address)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		ses.ID, ses.AccountID, ses.UserAgent, ses.CreatedUs, ses.LastSeenUs, ses.ExpiresUs, ses.Token, ses.ClientAddress)
	if err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	return insertRefreshToken(ctx, tx, ses)
}

func readUserAgent(header string) string {
	text := strings.TrimSpace(strings.Map(func(r rune) rune {
		if breaks(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(header, "")))
	if len(text) <= maxUserAgent {
		return text
	}
	end := maxUserAgent
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// logout ends the session that asks, or all of the user's, and says how many that were. It may be repeated: an
// ended session may ask as well.
func (s *Service) logout(ctx context.Context, everywhere bool) (int, error) {
	who := identity.From(ctx)
	if who.Anonymous() {
		return 0, errUnauthenticated
	}
	if who.Subject == "" {
		return 0, subgraph.Forbidden("log out as a service: it takes a user")
	}
	only := who.Session
	if everywhere {
		if err := s.requireSession(ctx, who); err != nil {
			return 0, err
		}
		only = ""
	}
	var revoked int
	err := s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		revoked, err = s.revoke(ctx, tx, who.Subject, only, "", revokedByLogout)
		return err
	})
	s.outbox.Wake()
	return revoked, err
}

// revoke ends the live sessions of a user: the one that is named by only, or else all but the one named by
// except.
func (s *Service) revoke(ctx context.Context, tx *database.Tx, userID, only, except string, why revocation) (int, error) {
	now := s.micros()
	var ids []string
	err := tx.SelectContext(ctx, &ids, `
		UPDATE session SET revoked_us = $1, revoked_for = $2
		WHERE account_id = $3 AND revoked_us IS NULL AND expires_us > $4 AND (id = $5 OR $6 = '') AND id <> $7
		RETURNING id`, now, why, userID, now, only, only, except)
	if err != nil {
		return 0, fmt.Errorf("revoke sessions of %s: %w", userID, err)
	}
	for _, sessionID := range ids {
		e := event.New(eventSessionRevoked, userID, sessionRevoked{UserID: userID, SessionID: sessionID, Reason: why})
		if err := s.outbox.Append(ctx, tx, e); err != nil {
			return 0, err
		}
		if err := s.audit(ctx, tx, gen.SecurityEventTypeSessionRevoked, userID, sessionID+" "+string(why)); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// forgetSessions removes what has expired. A spent token is kept until then, to notice its second use; behind
// that it is refused in any case.
func (s *Service) forgetSessions(ctx context.Context) error {
	before := database.Micros(s.cfg.Now().Add(-24 * time.Hour))
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE expires_us < $1`, before); err != nil {
			return fmt.Errorf("forget sessions: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM refresh_token WHERE expires_us < $1`, before); err != nil {
			return fmt.Errorf("forget refresh tokens: %w", err)
		}
		return nil
	})
}
