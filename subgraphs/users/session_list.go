package users

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// maxSessions bounds the list of a user's sessions.
const maxSessions = 100

// sessionsOf reads the live sessions of any number of users by one query, the one seen last first.
func (s *Service) sessionsOf(ctx context.Context, userIDs []string) (map[string][]session, error) {
	list, args := database.In(nil, userIDs)
	args = append(args, s.micros(), maxSessions)
	var rows []session
	err := s.db.Read.SelectContext(ctx, &rows, fmt.Sprintf(`
		SELECT `+sessionColumns+` FROM (
			SELECT session.*, row_number() OVER (PARTITION BY account_id ORDER BY last_seen_us DESC, id DESC) AS place
			FROM session WHERE account_id IN %s AND revoked_us IS NULL AND expires_us > $%d
		) AS live WHERE place <= $%d ORDER BY account_id, place`, list, len(args)-1, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("read sessions of %d users: %w", len(userIDs), err)
	}
	byUser := map[string][]session{}
	for _, r := range rows {
		byUser[r.AccountID] = append(byUser[r.AccountID], r)
	}
	return byUser, nil
}

// view is the session as GraphQL knows it; current is the id of the one that asks.
func (r *session) view(current string) *gen.Session {
	return &gen.Session{
		ID: r.ID, CreatedAt: database.Time(r.CreatedUs), LastSeenAt: database.Time(r.LastSeenUs), ExpiresAt: database.Time(r.ExpiresUs),
		UserAgent: present(r.UserAgent), ClientAddress: present(r.ClientAddress), Current: r.ID == current,
	}
}

// revokeSession ends a session of the user who asks, or, for those who administrate users, anybody's. To others it
// doesn't exist.
func (s *Service) revokeSession(ctx context.Context, sessionID string) (string, error) {
	who := identity.From(ctx)
	missing := refuse(gen.AuthErrorCodeNotFound, "there is no such session, or it has ended").at("id")
	var userID string
	if id.Is(id.Session, sessionID) {
		err := s.db.Read.GetContext(ctx, &userID, `SELECT account_id FROM session WHERE id = $1`, sessionID)
		if err != nil && !database.NoRows(err) {
			return "", fmt.Errorf("look up session: %w", err)
		}
	}
	why := revokedByOwner
	if userID != who.Subject && who.Has(scopeAdmin) {
		if _, err := s.mayAdministrate(ctx, "end sessions of others"); err != nil {
			return "", err
		}
		why = revokedByStaff
	} else if _, err := s.person(ctx); err != nil {
		return "", err
	}
	if userID == "" || (why == revokedByOwner && userID != who.Subject) {
		return "", missing
	}
	var revoked int
	err := s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		revoked, err = s.revoke(ctx, tx, userID, sessionID, "", why)
		return err
	})
	if err == nil && revoked == 0 {
		err = missing
	}
	if err != nil {
		return "", err
	}
	s.outbox.Wake()
	return sessionID, nil
}
