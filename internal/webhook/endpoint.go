package webhook

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/page"
)

// The prefixes of identifiers.
const (
	EndpointID = "whe"
	DeliveryID = "whd"
)

// The limits of endpoints.
const (
	// MaxEndpoints is how many there may be.
	MaxEndpoints = 100
	// MaxTypes is how many types an endpoint may name.
	MaxTypes = 50
)

// ErrTooMany says that there are MaxEndpoints already.
var ErrTooMany = errors.New("webhook: there are too many endpoints")

// rotation is how long a secret that was replaced goes on signing.
const rotation = 24 * time.Hour

// Endpoint is who is told of something.
type Endpoint struct {
	ID          string
	URL         string
	Description string
	// Types are what it is told of; one that ends in ".*" stands for all that begin so, and "*" for all.
	Types   []string
	Enabled bool
	// DisabledReason says why it is not, for people.
	DisabledReason string
	CreatedAt      time.Time
	// FailingSince is since when no delivery has succeeded; zero while they do.
	FailingSince time.Time
}

// wants reports whether the endpoint is to be told of a type.
func (e Endpoint) wants(typ string) bool {
	for _, pattern := range e.Types {
		start, all := strings.CutSuffix(pattern, "*")
		if pattern == typ || (all && strings.HasPrefix(typ, start)) {
			return true
		}
	}
	return false
}

var pattern = regexp.MustCompile(`^([a-z0-9_-]+(\.[a-z0-9_-]+)*(\.\*)?|\*)$`)

// CheckTypes refuses types that no message can have.
func CheckTypes(types []string) error {
	if len(types) == 0 || len(types) > MaxTypes {
		return fmt.Errorf("name 1 to %d types", MaxTypes)
	}
	for _, t := range types {
		if len(t) > 200 || !pattern.MatchString(t) {
			return fmt.Errorf("%.50q is no type such as %q, %q or %q", t, "agora.orders.order.confirmed.v1", "agora.payments.*", "*")
		}
	}
	return nil
}

// row is an endpoint as it is stored.
type row struct {
	ID, URL, Description, Types, Secret string
	PreviousSecret                      string `db:"previous_secret"`
	PreviousUntilUs                     int64  `db:"previous_until_us"`
	Enabled                             bool
	DisabledReason                      string `db:"disabled_reason"`
	FailingUs                           int64  `db:"failing_us"`
	CreatedUs                           int64  `db:"created_us"`
}

const endpointColumns = `id, url, description, types, secret, previous_secret, previous_until_us, enabled, disabled_reason, failing_us, created_us`

func (r row) endpoint() Endpoint {
	e := Endpoint{
		ID: r.ID, URL: r.URL, Description: r.Description, Types: strings.Fields(r.Types), Enabled: r.Enabled,
		DisabledReason: r.DisabledReason, CreatedAt: database.Time(r.CreatedUs),
	}
	if r.FailingUs > 0 {
		e.FailingSince = database.Time(r.FailingUs)
	}
	return e
}

// Register adds an endpoint and returns it with its secret, which can't be read again. URL and Types must have been checked.
func (q *Queue) Register(ctx context.Context, tx *database.Tx, e Endpoint) (Endpoint, string, error) {
	var n int
	if err := tx.GetContext(ctx, &n, `SELECT COUNT(*) FROM webhook_endpoint`); err != nil {
		return e, "", fmt.Errorf("count webhook endpoints: %w", err)
	}
	if n >= MaxEndpoints {
		return e, "", ErrTooMany
	}
	e.ID = id.New(EndpointID)
	secret := NewSecret()
	return e, secret, q.Pin(ctx, tx, e, secret)
}

// Pin adds an endpoint with an id and a secret that are known, enabled; or changes the one with this id to be so.
func (q *Queue) Pin(ctx context.Context, tx *database.Tx, e Endpoint, secret string) error {
	sealed, err := q.seal(secret, e.ID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO webhook_endpoint (id, url, description, types, secret, enabled, created_us) VALUES ($1, $2, $3, $4, $5, TRUE, $6)
		ON CONFLICT (id) DO UPDATE SET url = excluded.url, types = excluded.types, secret = excluded.secret, enabled = TRUE, disabled_reason = '', failing_us = 0`,
		e.ID, e.URL, e.Description, strings.Join(e.Types, " "), sealed, q.nowMicros())
	if err != nil {
		return fmt.Errorf("register webhook endpoint: %w", err)
	}
	return nil
}

// Change writes an endpoint's URL, description, types and whether it is enabled. To enable one forgets that it failed.
func (q *Queue) Change(ctx context.Context, tx *database.Tx, e Endpoint) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE webhook_endpoint SET url = $1, description = $2, types = $3, enabled = $4, disabled_reason = $5, failing_us = $6 WHERE id = $7`,
		e.URL, e.Description, strings.Join(e.Types, " "), e.Enabled, e.DisabledReason, micros(e.FailingSince), e.ID)
	if err != nil {
		return fmt.Errorf("change webhook endpoint %s: %w", e.ID, err)
	}
	return nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return database.Micros(t)
}

// Rotate gives an endpoint a new secret, and returns it. The one before it goes on signing for a day.
func (q *Queue) Rotate(ctx context.Context, tx *database.Tx, endpointID string) (string, error) {
	secret := NewSecret()
	sealed, err := q.seal(secret, endpointID)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE webhook_endpoint SET previous_secret = secret, previous_until_us = $1, secret = $2 WHERE id = $3`,
		database.Micros(q.cfg.Now().Add(rotation)), sealed, endpointID)
	if err != nil {
		return "", fmt.Errorf("replace the secret of webhook endpoint %s: %w", endpointID, err)
	}
	return secret, nil
}

// Remove forgets an endpoint and its deliveries.
func (q *Queue) Remove(ctx context.Context, tx *database.Tx, endpointID string) error {
	for _, statement := range []string{`DELETE FROM webhook_delivery WHERE endpoint_id = $1`, `DELETE FROM webhook_endpoint WHERE id = $1`} {
		if _, err := tx.ExecContext(ctx, statement, endpointID); err != nil {
			return fmt.Errorf("remove webhook endpoint %s: %w", endpointID, err)
		}
	}
	return nil
}

// Lock reads an endpoint that the transaction is going to change, or NoRows.
func (q *Queue) Lock(ctx context.Context, tx *database.Tx, endpointID string) (Endpoint, error) {
	var r row
	err := tx.GetContext(ctx, &r, `SELECT `+endpointColumns+` FROM webhook_endpoint WHERE id = $1`+tx.Dialect.ForUpdate(), endpointID)
	if err != nil {
		return Endpoint{}, fmt.Errorf("read webhook endpoint %s: %w", endpointID, err)
	}
	return r.endpoint(), nil
}

// Endpoints reads a page of endpoints, oldest first: one more than its limit, for page.Cut. Cursors hold an id.
func (q *Queue) Endpoints(ctx context.Context, w page.Window) ([]Endpoint, error) {
	where, args := "TRUE", []any{}
	order, than := "ASC", ">"
	if w.Backward {
		order, than = "DESC", "<"
	}
	if w.Cursor != nil {
		where, args = "id "+than+" $1", []any{w.Cursor[0]}
	}
	var rows []row
	err := q.db.Read.SelectContext(ctx, &rows, fmt.Sprintf(`
		SELECT `+endpointColumns+` FROM webhook_endpoint WHERE %s ORDER BY id %s LIMIT $%d`, where, order, len(args)+1), append(args, w.Limit+1)...)
	if err != nil {
		return nil, fmt.Errorf("read webhook endpoints: %w", err)
	}
	all := make([]Endpoint, len(rows))
	for i, r := range rows {
		all[i] = r.endpoint()
	}
	return all, nil
}
