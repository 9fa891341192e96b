package payments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// maxNotification bounds the body of a provider's webhook, in bytes.
const maxNotification = 256 << 10

// Notifications takes the provider's webhooks, by POST at any path. What is not genuine is refused with 401 and changes
// nothing. A webhook doesn't say what is so, only that it is worth asking: it may be late, repeated or out of order.
// It is answered when what it led to is committed, and with 503 as long as it is to be sent again.
func (s *Service) Notifications() http.Handler { return http.HandlerFunc(s.serveNotification) }

func (s *Service) serveNotification(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send webhooks by POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotification))
	if err != nil {
		http.Error(w, "the body can't be read", http.StatusRequestEntityTooLarge)
		return
	}
	n, err := s.cfg.Provider.Notification(r.Header, body, s.now())
	switch {
	case errors.Is(err, ErrNotGenuine):
		s.cfg.Log.WarnContext(r.Context(), "webhook refused", "error", err)
		http.Error(w, "the webhook is not genuine", http.StatusUnauthorized)
		return
	case err != nil || n.ID == "" || !database.Storable(n.ID+n.Type+n.Reference+n.Key):
		http.Error(w, "the webhook can't be read", http.StatusBadRequest)
		return
	}
	if err := s.notified(r.Context(), n); err != nil {
		s.cfg.Log.WarnContext(r.Context(), "webhook put off", "type", n.Type, "error", err)
		http.Error(w, "not now: send it again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// notified asks the provider how the payment stands that a webhook is about, and records what it has done by itself.
func (s *Service) notified(ctx context.Context, n Notification) error {
	paymentID, seen, err := s.paymentOf(ctx, n)
	if err != nil || seen {
		return err
	}
	if paymentID == "" {
		return s.receiveAlone(ctx, n, "")
	}
	return s.observe(ctx, n, paymentID)
}

// paymentOf is the payment that a webhook is about, or "" if it is none of ours; and whether the webhook came before.
func (s *Service) paymentOf(ctx context.Context, n Notification) (paymentID string, seen bool, err error) {
	row := s.db.Read.QueryRowxContext(ctx, `
		SELECT COALESCE((SELECT payment_id FROM operation WHERE key = $1 AND key <> ''),
			(SELECT id FROM payment WHERE reference = $2 AND reference <> '' LIMIT 1), ''), (SELECT COUNT(*) > 0 FROM notification WHERE id = $3)`,
		n.Key, n.Reference, n.ID)
	if err := row.Scan(&paymentID, &seen); err != nil {
		return "", false, fmt.Errorf("find the payment of a webhook: %w", err)
	}
	return paymentID, seen, nil
}

const receiving = `INSERT INTO notification (id, type, reference, payment_id, received_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`

// receive notes that a webhook came, and reports whether it is the first time.
func (s *Service) receive(ctx context.Context, tx *database.Tx, n Notification, paymentID string) (bool, error) {
	result, err := tx.ExecContext(ctx, receiving, n.ID, n.Type, n.Reference, paymentID, s.nowMicros())
	if err != nil {
		return false, fmt.Errorf("note a webhook: %w", err)
	}
	rows, err := result.RowsAffected()
	return rows == 1, err
}

// receiveAlone notes a webhook that nothing follows from.
func (s *Service) receiveAlone(ctx context.Context, n Notification, paymentID string) error {
	if err := s.db.Exec(ctx, receiving, n.ID, n.Type, n.Reference, paymentID, s.nowMicros()); err != nil {
		return fmt.Errorf("note a webhook: %w", err)
	}
	return nil
}

// look asks the provider how a payment stands.
func (s *Service) look(ctx context.Context, reference string) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ProviderTimeout)
	defer cancel()
	state, err := s.cfg.Provider.Look(ctx, reference)
	if err != nil {
		return state, fmt.Errorf("look at %s: %w", reference, err)
	}
	return state, nil
}

// errBusy says that a command on the payment is on its way: what it does can't be told from what the provider did by
// itself before its outcome is recorded.
var errBusy = errors.New("a command on the payment is on its way")

// observe records what the provider did by itself, and carries on what follows from it. It waits a while for a command
// that is on its way: webhooks about its effect come while its answer is being written down. One whose outcome nobody knows is
// resolved.
func (s *Service) observe(ctx context.Context, n Notification, paymentID string) error {
	resolved := false
	for deadline := time.Now().Add(s.cfg.ProviderTimeout); ; {
		state, err := s.look(ctx, n.Reference)
		if err != nil {
			return err
		}
		known, err := s.knows(ctx, paymentID, state)
		if err != nil {
			return err
		}
		if known {
			return s.receiveAlone(ctx, n, paymentID)
		}
		next, err := s.observeOnce(ctx, n, paymentID, state, resolved)
		switch {
		case errors.Is(err, errBusy) && time.Now().Before(deadline):
			if err := s.resolveOpen(ctx, paymentID); err != nil {
				return err
			}
			resolved = true
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
			continue
		case err != nil:
			return err
		}
		s.outbox.Wake()
		if next != nil {
			_, err = s.drive(ctx, *next)
			return err
		}
		return nil
	}
}

// knows reports whether a payment that no command is on its way for stands as the provider says, as it nearly always does: webhooks
// tell of what was asked for. What anybody begins later has an outcome of its own.
func (s *Service) knows(ctx context.Context, paymentID string, state State) (bool, error) {
	var p struct {
		payment
		Open int
	}
	err := s.db.Read.GetContext(ctx, &p, `
		SELECT `+paymentColumns+`, (SELECT COUNT(*) FROM operation o WHERE o.payment_id = p.id AND o.state IN ('INTENT', 'UNKNOWN')) AS open
		FROM payment p WHERE p.id = $1`, paymentID)
	if err != nil {
		return false, fmt.Errorf("read payment %s: %w", paymentID, err)
	}
	_, more := deedBetween(p.payment, state)
	return p.Open == 0 && !more, nil
}

// observeOnce tries to, if no command is open. resolved says that one which was has been resolved if it could be.
func (s *Service) observeOnce(ctx context.Context, n Notification, paymentID string, state State, resolved bool) (next *operation, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		next = nil
		fresh, err := s.receive(ctx, tx, n, paymentID)
		if err != nil || !fresh {
			return err
		}
		p, err := lockPayment(ctx, tx, paymentID)
		if err != nil {
			return err
		}
		open, err := openOperation(ctx, tx, p.ID)
		switch {
		case err == nil && resolved && open.State == stateUnknown && state.Standing == Undecided:
			return nil // the provider tells again when it has decided
		case err == nil:
			return errBusy
		case !database.NoRows(err):
			return err
		}
		next, err = s.catchUp(ctx, tx, p, n.Reference, state)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("observe payment %s: %w", paymentID, err)
	}
	return next, nil
}
