package users

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// The audit log: what happened to whose account, by whom and from where. The database itself refuses to change a
// row, or to delete one that is not old. Where an event came from is personal, so it is in a table of its own that
// is erased with the account.

// securityEventPrefix is that of the ids of security events.
const securityEventPrefix = "sev"

// minAuditLife is how long the database keeps security events, whoever asks it to delete them.
const minAuditLife = 90 * 24 * time.Hour

// securityEvent is a row of the log, with where it came from.
type securityEvent struct {
	ID            string
	Type          gen.SecurityEventType
	AccountID     *string `db:"account_id"`
	Actor         string
	AtUs          int64 `db:"at_us"`
	Detail        *string
	ClientAddress *string `db:"client_address"`
	UserAgent     *string `db:"user_agent"`
}

// audit adds an event to the log, in the transaction of what it tells of. An account that nobody has is "".
func (s *Service) audit(ctx context.Context, tx *database.Tx, typ gen.SecurityEventType, accountID, detail string) error {
	return s.auditAs(ctx, tx, identity.From(ctx).Actor(), typ, accountID, detail)
}

func (s *Service) auditAs(ctx context.Context, tx *database.Tx, actor string, typ gen.SecurityEventType, accountID, detail string) error {
	eventID := id.New(securityEventPrefix)
	_, err := tx.ExecContext(ctx, `
		INSERT INTO security_event (id, type, account_id, actor, at_us, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		eventID, typ, present(accountID), actor, s.micros(), present(detail))
	if err != nil {
		return fmt.Errorf("audit %s: %w", typ, err)
	}
	address, agent := origin(ctx)
	if address == "" && agent == "" {
		return nil
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO security_event_origin (event_id, client_address, user_agent) VALUES ($1, $2, $3)`, eventID, address, agent)
	if err != nil {
		return fmt.Errorf("audit %s: %w", typ, err)
	}
	return nil
}

// origin is what is known of the client that asks, as it is stored; empty where nothing is known.
func origin(ctx context.Context) (address, userAgent string) {
	client := identity.ClientFrom(ctx)
	if client.Address.IsValid() {
		address = client.Address.String()
	}
	return address, readUserAgent(client.UserAgent)
}

// present is a text as it is stored where an empty one means that there is none.
func present(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// auditFilter says which events are wanted; the zero value all of them.
type auditFilter struct {
	accountID string
	types     []gen.SecurityEventType
}

// securityEvents is a page of the log, the newest first: in the descending order of their ids.
func (s *Service) securityEvents(ctx context.Context, want auditFilter, first *int, after *string) (*gen.SecurityEventConnection, error) {
	w, err := page.New(first, after, nil, nil, 1)
	if err != nil {
		return nil, err
	}
	var conditions []string
	var args []any
	if w.Cursor != nil {
		if !id.Is(securityEventPrefix, w.Cursor[0]) {
			return nil, subgraph.Errorf(subgraph.BadInput, "%.50q is no cursor of this list", *after)
		}
		args = append(args, w.Cursor[0])
		conditions = append(conditions, fmt.Sprintf("id < $%d", len(args)))
	}
	if want.accountID != "" {
		args = append(args, want.accountID)
		conditions = append(conditions, fmt.Sprintf("account_id = $%d", len(args)))
	}
	if len(want.types) > 0 {
		var list string
		list, args = database.In(args, want.types)
		conditions = append(conditions, "type IN "+list)
	}
	where := ""
	if len(conditions) > 0 {
		where = " WHERE " + strings.Join(conditions, " AND ")
	}
	args = append(args, w.Limit+1)
	var rows []securityEvent
	err = s.db.Read.SelectContext(ctx, &rows, fmt.Sprintf(`
		SELECT id, type, account_id, actor, at_us, detail, client_address, user_agent
		FROM security_event LEFT JOIN security_event_origin ON event_id = id%s ORDER BY id DESC LIMIT $%d`, where, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return securityEventPage(ctx, w, rows), nil
}

func securityEventPage(ctx context.Context, w page.Window, rows []securityEvent) *gen.SecurityEventConnection {
	c := &gen.SecurityEventConnection{}
	rows, c.PageInfo.HasPreviousPage, c.PageInfo.HasNextPage = page.Cut(w, rows)
	c.Edges = make([]*gen.SecurityEventEdge, len(rows))
	for i := range rows {
		c.Edges[i] = &gen.SecurityEventEdge{Cursor: page.Cursor(rows[i].ID), Node: *rows[i].view()}
		if rows[i].AccountID != nil {
			sharedIn(ctx).accounts.Want(*rows[i].AccountID)
		}
	}
	if len(rows) > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[len(rows)-1].Cursor
	}
	return c
}

// view is the event as GraphQL knows it; of its user it holds the id alone.
func (e *securityEvent) view() *gen.SecurityEvent {
	v := &gen.SecurityEvent{ID: e.ID, Type: e.Type, At: database.Time(e.AtUs), Actor: e.Actor, Detail: e.Detail}
	if e.AccountID != nil {
		v.User = &gen.User{ID: *e.AccountID}
	}
	if e.ClientAddress != nil {
		v.ClientAddress = present(*e.ClientAddress)
	}
	if e.UserAgent != nil {
		v.UserAgent = present(*e.UserAgent)
	}
	return v
}

// forgetEvents removes security events that have been kept long enough.
func (s *Service) forgetEvents(ctx context.Context) error {
	before := min(database.Micros(s.cfg.Now().Add(-s.cfg.AuditLife)), database.Micros(time.Now().Add(-minAuditLife)))
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM security_event WHERE at_us < $1`, before); err != nil {
			return fmt.Errorf("forget security events: %w", err)
		}
		return nil
	})
}
