package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// How many deliveries are on their way at a time, in all and to one endpoint: a slow one holds up nobody else.
const (
	parallel    = 32
	perEndpoint = 8
)

// keep is how long deliveries that are finished can be looked at and replayed.
const keep = 30 * 24 * time.Hour

// Run sends what is due until ctx ends, and waits for what is on its way.
func (q *Queue) Run(ctx context.Context) error {
	timer, hourly := time.NewTicker(q.cfg.Interval), time.NewTicker(time.Hour)
	defer timer.Stop()
	defer hourly.Stop()
	s := &sender{q: q, busy: map[string]map[string]bool{}}
	defer s.running.Wait()
	defer q.client.CloseIdleConnections()
	for {
		if err := s.look(ctx); err != nil && ctx.Err() == nil {
			q.cfg.Log.ErrorContext(ctx, "look for webhooks to send", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-q.wake:
		case <-timer.C:
		case <-hourly.C:
			if err := q.prune(ctx); err != nil {
				q.cfg.Log.ErrorContext(ctx, "forget webhooks", "error", err)
			}
		}
	}
}

// sender is a Run: it knows what is on its way.
type sender struct {
	q       *Queue
	running sync.WaitGroup

	mu   sync.Mutex
	busy map[string]map[string]bool // deliveries on their way, by endpoint
	all  int
	// left says that there was more to send than room for it.
	left bool
}

// hasRoom reports whether there is room for a delivery to an endpoint. If there is none, whoever makes some looks again.
func (s *sender) hasRoom(endpointID string) bool {
	if s.all < parallel && len(s.busy[endpointID]) < perEndpoint {
		return true
	}
	s.left = true
	return false
}

// look starts what is due, as far as there is room. It reads no more than that, however much is to come and however often
// it is woken.
func (s *sender) look(ctx context.Context) error {
	s.mu.Lock()
	s.left = false
	s.mu.Unlock()
	var endpoints []struct {
		row
		DueUs int64 `db:"due_us"`
	}
	now := s.q.nowMicros()
	err := s.q.db.Read.SelectContext(ctx, &endpoints, `
		SELECT `+endpointColumns+`, COALESCE((SELECT MIN(w.due_us) FROM webhook_delivery w WHERE w.endpoint_id = e.id AND w.state = 'PENDING'), $1) AS due_us
		FROM webhook_endpoint e WHERE e.enabled = $2 ORDER BY due_us, id`, now+1, true)
	if err != nil {
		return fmt.Errorf("read who has something due: %w", err)
	}
	for _, e := range endpoints {
		if e.DueUs > now {
			return nil
		}
		if err := s.start(ctx, e.row, now); err != nil {
			return err
		}
	}
	return nil
}

// start starts what is due for an endpoint, as far as there is room.
func (s *sender) start(ctx context.Context, to row, now int64) error {
	s.mu.Lock()
	room := s.hasRoom(to.ID)
	s.mu.Unlock()
	if !room {
		return nil
	}
	var due []Delivery // among the first there are those that have just been started
	err := s.q.db.Read.SelectContext(ctx, &due, `
		SELECT `+deliveryColumns+` FROM webhook_delivery d WHERE d.endpoint_id = $1 AND d.state = 'PENDING' AND d.due_us <= $2
		ORDER BY d.due_us, d.id LIMIT $3`, to.ID, now, 2*perEndpoint)
	if err != nil {
		return fmt.Errorf("read what is due: %w", err)
	}
	due = slices.DeleteFunc(due, func(d Delivery) bool { return !s.enter(d) })
	if len(due) == 0 {
		return nil
	}
	taken, err := s.q.take(ctx, to.ID, due)
	for _, d := range due {
		attempts, mine := taken[d.ID]
		if !mine {
			s.leave(d)
			continue
		}
		d.Attempts = attempts
		s.running.Go(func() {
			defer s.leave(d)
			if err := s.q.send(ctx, to, d); err != nil && ctx.Err() == nil {
				s.q.cfg.Log.ErrorContext(ctx, "send webhook", "delivery", d.ID, "endpoint", d.EndpointID, "error", err)
			}
		})
	}
	return err
}

// enter reports whether there is room for a delivery that is not on its way yet.
func (s *sender) enter(d Delivery) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := s.busy[d.EndpointID]
	if busy[d.ID] || !s.hasRoom(d.EndpointID) {
		return false
	}
	if busy == nil {
		busy = map[string]bool{}
		s.busy[d.EndpointID] = busy
	}
	busy[d.ID] = true
	s.all++
	return true
}

// leave makes room, for what was left if there is anything.
func (s *sender) leave(d Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.busy[d.EndpointID], d.ID); len(s.busy[d.EndpointID]) == 0 {
		delete(s.busy, d.EndpointID)
	}
	s.all--
	if s.left {
		s.q.Wake()
	}
}

// take counts an attempt at each of the deliveries to an endpoint that are still due, and returns the attempts at those: others
// may be at some of them. If this process dies, they are due again when the attempt has certainly ended.
func (q *Queue) take(ctx context.Context, endpointID string, due []Delivery) (taken map[string]int64, err error) {
	ids := make([]string, len(due))
	for i, d := range due {
		ids[i] = d.ID
	}
	now := q.cfg.Now()
	list, args := database.In([]any{database.Micros(now.Add(2 * q.cfg.Timeout)), database.Micros(now)}, ids)
	var rows []Delivery
	err = q.db.Returning(ctx, &rows, `
		UPDATE webhook_delivery SET attempts = attempts + 1, due_us = $1 WHERE id IN (
			SELECT id FROM webhook_delivery WHERE state = 'PENDING' AND due_us <= $2 AND id IN `+list+` ORDER BY id`+q.db.Dialect.SkipLocked()+`
		) RETURNING id, attempts`, args...)
	if err != nil {
		return nil, fmt.Errorf("take webhooks of %s: %w", endpointID, err)
	}
	taken = map[string]int64{}
	for _, d := range rows {
		taken[d.ID] = d.Attempts
	}
	return taken, nil
}

// send makes one attempt at a delivery.
func (q *Queue) send(ctx context.Context, to row, d Delivery) error {
	answer := q.post(ctx, to, d)
	if ctx.Err() != nil && !answer.accepted() {
		return nil // cut off by our own end: it is due again
	}
	return q.record(context.WithoutCancel(ctx), to, d, answer)
}

// answer is what an attempt came to.
type answer struct {
	status int
	err    error
	// after is how long the receiver wants to be left alone.
	after time.Duration
}

func (a answer) accepted() bool { return a.err == nil && a.status >= 200 && a.status < 300 }

func (a answer) text() string {
	switch {
	case errors.Is(a.err, ErrAddress):
		return ErrAddress.Error()
	case a.err != nil:
		return fmt.Sprintf("%.300s", a.err.Error())
	case a.accepted():
		return ""
	}
	return "the receiver answered " + strconv.Itoa(a.status) + " " + http.StatusText(a.status)
}

func (q *Queue) post(ctx context.Context, to row, d Delivery) answer {
	secrets := []string{to.Secret}
	if to.PreviousSecret != "" && to.PreviousUntilUs > q.nowMicros() {
		secrets = append(secrets, to.PreviousSecret)
	}
	for i, sealed := range secrets {
		secret, err := q.open(sealed, to.ID)
		if err != nil {
			return answer{err: err}
		}
		secrets[i] = secret
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader([]byte(d.Body)))
	if err != nil {
		return answer{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Agora-Webhooks/1")
	if err := Sign(r.Header, d.MessageID, q.cfg.Now(), []byte(d.Body), secrets...); err != nil {
		return answer{err: err}
	}
	response, err := q.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	a := answer{status: response.StatusCode}
	if seconds, err := strconv.ParseInt(response.Header.Get("Retry-After"), 10, 32); err == nil && seconds > 0 {
		a.after = min(time.Duration(seconds)*time.Second, 24*time.Hour)
	}
	return a
}

// record writes what an attempt came to, for the delivery and for the endpoint, of which there is nothing to say if it works as
// it did before.
func (q *Queue) record(ctx context.Context, to row, d Delivery, a answer) error {
	before := d.Attempts
	d.Status, d.Error = int64(a.status), a.text()
	now := q.cfg.Now()
	switch {
	case a.accepted():
		d.State, d.FinishedUs = Delivered, database.Micros(now)
	case d.Attempts > int64(len(q.cfg.Schedule)):
		d.State, d.FinishedUs = Failed, database.Micros(now)
	default:
		d.DueUs = database.Micros(now.Add(max(jittered(q.cfg.Schedule[d.Attempts-1]), a.after)))
	}
	const recording = `UPDATE webhook_delivery SET state = $1, due_us = $2, status = $3, error = $4, finished_us = $5 WHERE id = $6 AND attempts = $7`
	values := []any{d.State, d.DueUs, d.Status, d.Error, d.FinishedUs, d.ID, before}
	var err error
	if a.accepted() && to.FailingUs == 0 {
		err = q.db.Exec(ctx, recording, values...)
	} else {
		err = q.db.Tx(ctx, func(tx *database.Tx) error {
			if _, err := tx.ExecContext(ctx, recording, values...); err != nil {
				return err
			}
			return q.judge(ctx, tx, d.EndpointID, a)
		})
	}
	if err != nil {
		return fmt.Errorf("record delivery %s: %w", d.ID, err)
	}
	return nil
}

// judge notes of an endpoint whether it works, and disables one that is gone or has failed for too long.
func (q *Queue) judge(ctx context.Context, tx *database.Tx, endpointID string, a answer) error {
	e, err := q.Lock(ctx, tx, endpointID)
	if database.NoRows(err) { // removed meanwhile
		return nil
	}
	if err != nil || !e.Enabled || (a.accepted() && e.FailingSince.IsZero()) {
		return err
	}
	now := q.cfg.Now()
	switch {
	case a.accepted():
		e.FailingSince = time.Time{}
	case a.status == http.StatusGone:
		e.Enabled, e.DisabledReason = false, "the receiver answered 410 Gone"
	case e.FailingSince.IsZero():
		e.FailingSince = now
	case now.Sub(e.FailingSince) >= q.cfg.DisableAfter:
		e.Enabled, e.DisabledReason = false, "nothing could be delivered since "+e.FailingSince.UTC().Format(time.RFC3339)
	default:
		return nil
	}
	if !e.Enabled {
		_, err := tx.ExecContext(ctx, `
			UPDATE webhook_delivery SET state = $1, finished_us = $2, error = $3 WHERE endpoint_id = $4 AND state = 'PENDING'`,
			Failed, database.Micros(now), "the endpoint was disabled", endpointID)
		if err != nil {
			return err
		}
		q.cfg.Log.WarnContext(ctx, "webhook endpoint disabled", "endpoint", endpointID, "reason", e.DisabledReason)
	}
	return q.Change(ctx, tx, e)
}

// jittered varies a pause by a tenth, so that what failed together doesn't come back together.
func jittered(d time.Duration) time.Duration {
	tenth := int64(d / 10)
	if tenth == 0 {
		return d
	}
	return d + time.Duration(rand.Int64N(2*tenth)-tenth)
}

func (q *Queue) prune(ctx context.Context) error {
	return q.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM webhook_delivery WHERE state <> 'PENDING' AND created_us < $1`, database.Micros(q.cfg.Now().Add(-keep)))
		return err
	})
}
