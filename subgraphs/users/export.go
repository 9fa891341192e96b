package users

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// export is all that this service holds about a person, but for what would let somebody else sign in.
type export struct {
	ExportedAt     time.Time          `json:"exportedAt"`
	Account        exportedAccount    `json:"account"`
	Addresses      []*gen.Address     `json:"addresses"`
	Sessions       []exportedSession  `json:"sessions"`
	SecurityEvents []exportedSecurity `json:"securityEvents"`
}

type exportedAccount struct {
	ID            string     `json:"id"`
	Email         string     `json:"email"`
	EmailVerified *time.Time `json:"emailVerifiedAt"`
	DisplayName   string     `json:"displayName"`
	Roles         []gen.Role `json:"roles"`
	CreatedAt     time.Time  `json:"createdAt"`
	DeletionAt    *time.Time `json:"deletionAt"`
}

type exportedSession struct {
	ID            string     `json:"id"`
	UserAgent     string     `json:"userAgent"`
	ClientAddress string     `json:"clientAddress"`
	CreatedAt     time.Time  `json:"createdAt"`
	LastSeenAt    time.Time  `json:"lastSeenAt"`
	ExpiresAt     time.Time  `json:"expiresAt"`
	RevokedAt     *time.Time `json:"revokedAt"`
}

type exportedSecurity struct {
	ID            string                `json:"id"`
	Type          gen.SecurityEventType `json:"type"`
	At            time.Time             `json:"at"`
	Actor         string                `json:"actor"`
	ClientAddress *string               `json:"clientAddress"`
	UserAgent     *string               `json:"userAgent"`
	Detail        *string               `json:"detail"`
}

// exportAccount is the export of the user who asks, as JSON. That it was made is part of the audit log, and so of
// the export: a copy of everything is what a thief of a session would want, too.
func (s *Service) exportAccount(ctx context.Context) (string, error) {
	who, err := s.person(ctx)
	if err != nil {
		return "", err
	}
	e := export{ExportedAt: s.cfg.Now().UTC()}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		if err := s.audit(ctx, tx, gen.SecurityEventTypeDataExported, who.Subject, ""); err != nil {
			return err
		}
		return e.read(ctx, tx, who.Subject)
	})
	if err != nil {
		return "", fmt.Errorf("export account %s: %w", who.Subject, err)
	}
	document, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode export of %s: %w", who.Subject, err)
	}
	return string(document), nil
}

func (e *export) read(ctx context.Context, q database.Querier, userID string) error {
	a, err := accountByID(ctx, q, userID)
	if err != nil {
		return err
	}
	e.Account = exportedAccount{
		ID: a.ID, Email: a.Email, EmailVerified: timeOf(a.VerifiedUs), DisplayName: a.DisplayName, Roles: splitRoles(a.Roles),
		CreatedAt: database.Time(a.CreatedUs), DeletionAt: timeOf(a.EraseUs),
	}
	var addresses []address
	if err := q.SelectContext(ctx, &addresses, `SELECT `+addressColumns+` FROM address WHERE account_id = $1 ORDER BY id`, userID); err != nil {
		return err
	}
	e.Addresses = make([]*gen.Address, len(addresses))
	for i := range addresses {
		e.Addresses[i] = addresses[i].view()
	}
	var sessions []session
	if err := q.SelectContext(ctx, &sessions, `SELECT `+sessionColumns+` FROM session WHERE account_id = $1 ORDER BY id`, userID); err != nil {
		return err
	}
	e.Sessions = make([]exportedSession, len(sessions))
	for i, r := range sessions {
		e.Sessions[i] = exportedSession{
			ID: r.ID, UserAgent: r.UserAgent, ClientAddress: r.ClientAddress, CreatedAt: database.Time(r.CreatedUs),
			LastSeenAt: database.Time(r.LastSeenUs), ExpiresAt: database.Time(r.ExpiresUs), RevokedAt: timeOf(r.RevokedUs),
		}
	}
	return e.readEvents(ctx, q, userID)
}

func (e *export) readEvents(ctx context.Context, q database.Querier, userID string) error {
	var rows []securityEvent
	err := q.SelectContext(ctx, &rows, `
		SELECT id, type, account_id, actor, at_us, detail, client_address, user_agent
		FROM security_event LEFT JOIN security_event_origin ON event_id = id WHERE account_id = $1 ORDER BY id`, userID)
	if err != nil {
		return err
	}
	e.SecurityEvents = make([]exportedSecurity, len(rows))
	for i, r := range rows {
		e.SecurityEvents[i] = exportedSecurity{
			ID: r.ID, Type: r.Type, At: database.Time(r.AtUs), Actor: r.Actor,
			ClientAddress: r.ClientAddress, UserAgent: r.UserAgent, Detail: r.Detail,
		}
	}
	return nil
}

func timeOf(micros *int64) *time.Time {
	if micros == nil {
		return nil
	}
	t := database.Time(*micros)
	return &t
}
