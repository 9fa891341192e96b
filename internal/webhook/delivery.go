package webhook

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/page"
)

// Message is what endpoints are told.
type Message struct {
	// ID is what receivers know it by, the same however often it is sent.
	ID   string
	Type string
	// Body is JSON, as it is sent and signed.
	Body []byte
	// Delay is how long it waits before it is sent.
	Delay time.Duration
	// Copy tells deliveries of a message apart that is to be sent several times on purpose.
	Copy int
}

// The states of a delivery.
const (
	Pending   = "PENDING"
	Delivered = "DELIVERED"
	Failed    = "FAILED"
)

// Delivery is a message on its way to an endpoint.
type Delivery struct {
	ID         string
	EndpointID string `db:"endpoint_id"`
	MessageID  string `db:"message_id"`
	Type       string
	Body       string
	State      string
	Attempts   int64
	DueUs      int64 `db:"due_us"`
	// Status is that of the last answer; 0 if there was none, and then Error says why.
	Status     int64
	Error      string
	CreatedUs  int64 `db:"created_us"`
	FinishedUs int64 `db:"finished_us"`
}

const deliveryColumns = `d.id, d.endpoint_id, d.message_id, d.type, d.body, d.state, d.attempts, d.due_us, d.status, d.error, d.created_us, d.finished_us`

// Offer puts a message into the queue in a transaction of its own, and writes nothing if nobody wants it. A message that
// is offered again is not sent again.
func (q *Queue) Offer(ctx context.Context, m Message) error {
	wanted, err := q.wanting(ctx, q.db.Read, m.Type)
	if err != nil || len(wanted) == 0 {
		return err
	}
	if err := q.db.Tx(ctx, func(tx *database.Tx) error { return q.Enqueue(ctx, tx, m) }); err != nil {
		return err
	}
	q.Wake()
	return nil
}

// Enqueue puts a message into the queue for every enabled endpoint that wants its type, once. Call Wake after the commit.
func (q *Queue) Enqueue(ctx context.Context, tx *database.Tx, m Message) error {
	wanting, err := q.wanting(ctx, tx, m.Type)
	if err != nil {
		return err
	}
	now := q.cfg.Now()
	for _, endpointID := range wanting {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO webhook_delivery (id, endpoint_id, message_id, type, body, state, due_us, created_us, copy)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
			id.New(DeliveryID), endpointID, m.ID, m.Type, string(m.Body), Pending, database.Micros(now.Add(m.Delay)), database.Micros(now), m.Copy)
		if err != nil {
			return fmt.Errorf("enqueue webhook %s: %w", m.Type, err)
		}
	}
	return nil
}

// Anybody reports whether there is an enabled endpoint.
func (q *Queue) Anybody(ctx context.Context) (bool, error) {
	var n int
	if err := q.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM webhook_endpoint WHERE enabled = $1`, true); err != nil {
		return false, fmt.Errorf("count webhook endpoints: %w", err)
	}
	return n > 0, nil
}

// wanting are the enabled endpoints that want a type, by their ids.
func (q *Queue) wanting(ctx context.Context, from database.Querier, typ string) ([]string, error) {
	var rows []row
	if err := from.SelectContext(ctx, &rows, `SELECT `+endpointColumns+` FROM webhook_endpoint WHERE enabled = $1 ORDER BY id`, true); err != nil {
		return nil, fmt.Errorf("read webhook endpoints: %w", err)
	}
	var ids []string
	for _, r := range rows {
		if r.endpoint().wants(typ) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// Replay makes a delivery pending again, whatever became of it, with all its attempts. It reports whether there is
// such a delivery, to an endpoint that is enabled.
func (q *Queue) Replay(ctx context.Context, tx *database.Tx, deliveryID string) (bool, error) {
	n, err := q.replay(ctx, tx, `id = $4`, deliveryID)
	return n > 0, err
}

// ReplayFailed makes the failed deliveries to an endpoint pending again that were made since a time, and counts them.
func (q *Queue) ReplayFailed(ctx context.Context, tx *database.Tx, endpointID string, since time.Time) (int64, error) {
	return q.replay(ctx, tx, `state = 'FAILED' AND endpoint_id = $4 AND created_us >= $5`, endpointID, database.Micros(since))
}

func (q *Queue) replay(ctx context.Context, tx *database.Tx, where string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE webhook_delivery SET state = $1, attempts = 0, due_us = $2, finished_us = $3
		WHERE `+where+` AND endpoint_id IN (SELECT id FROM webhook_endpoint WHERE enabled)`, append([]any{Pending, q.nowMicros(), 0}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("replay webhooks: %w", err)
	}
	return result.RowsAffected()
}

// Delivery reads a delivery, or NoRows.
func (q *Queue) Delivery(ctx context.Context, from database.Querier, deliveryID string) (Delivery, error) {
	var d Delivery
	if err := from.GetContext(ctx, &d, `SELECT `+deliveryColumns+` FROM webhook_delivery d WHERE d.id = $1`, deliveryID); err != nil {
		return d, fmt.Errorf("read webhook delivery %s: %w", deliveryID, err)
	}
	return d, nil
}

// Filter says which deliveries are wanted; empty fields say nothing.
type Filter struct{ EndpointID, State, Type string }

// Deliveries reads a page of deliveries, newest first: one more than its limit, for page.Cut. Cursors are those of
// DeliveryCursor.
func (q *Queue) Deliveries(ctx context.Context, f Filter, w page.Window) ([]Delivery, error) {
	where, args := []string{"TRUE"}, []any{}
	for _, c := range []struct{ column, value string }{{"endpoint_id", f.EndpointID}, {"state", f.State}, {"type", f.Type}} {
		if c.value != "" {
			args = append(args, c.value)
			where = append(where, fmt.Sprintf("d.%s = $%d", c.column, len(args)))
		}
	}
	order, than := "DESC", "<"
	if w.Backward {
		order, than = "ASC", ">"
	}
	if w.Cursor != nil {
		createdUs, err := strconv.ParseInt(w.Cursor[0], 10, 64)
		if err != nil {
			return nil, nil // behind nothing is nothing
		}
		args = append(args, createdUs, w.Cursor[1])
		where = append(where, fmt.Sprintf("(d.created_us, d.id) %s ($%d, $%d)", than, len(args)-1, len(args)))
	}
	args = append(args, w.Limit+1)
	var list []Delivery
	err := q.db.Read.SelectContext(ctx, &list, fmt.Sprintf(`
		SELECT `+deliveryColumns+` FROM webhook_delivery d WHERE %s ORDER BY d.created_us %s, d.id %s LIMIT $%d`,
		strings.Join(where, " AND "), order, order, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("read webhook deliveries: %w", err)
	}
	return list, nil
}

// DeliveryCursor is the cursor of a delivery in its list.
func DeliveryCursor(d Delivery) string {
	return page.Cursor(strconv.FormatInt(d.CreatedUs, 10), d.ID)
}
