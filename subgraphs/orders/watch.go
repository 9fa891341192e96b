package orders

import (
	"context"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// watch streams an order: as it is now, then after every change of its status in turn, to the end. The changes are
// read off the history, so none is missed, whichever replica made it.
func (s *Service) watch(ctx context.Context, orderID string) (<-chan *gen.Order, error) {
	statuses, end := s.hub.listen(orderID)
	o, behind, err := s.snapshot(ctx, orderID)
	if err != nil {
		end()
		return nil, err
	}
	out := make(chan *gen.Order)
	// gqlgen reads the channel until it is closed, or ctx ends: then this goroutine ends too.
	go func() {
		defer close(out)
		defer end()
		poll := time.NewTicker(pollInterval)
		defer poll.Stop()
		if !send(ctx, out, o.present()) || final(o.Status) {
			return
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-statuses:
			case <-poll.C:
			}
			var more bool
			if behind, more = s.catchUp(ctx, out, orderID, behind); !more {
				return
			}
		}
	}()
	return out, nil
}

// snapshot is an order, and the last line of its history that it includes.
func (s *Service) snapshot(ctx context.Context, orderID string) (*order, int64, error) {
	chapters, err := readHistory(ctx, s.db.Read, orderID, 0)
	if err != nil {
		return nil, 0, err
	}
	o, err := s.order(ctx, orderID)
	if err != nil {
		return nil, 0, err
	}
	// The order was read behind its history: it may be ahead of it, and is shown as the history has it.
	last := chapters[len(chapters)-1]
	o.at(last)
	return o, last.Sequence, nil
}

// at is the order as it was at a line of its history.
func (o *order) at(c chapter) {
	if o.Status != c.To {
		o.CancelReason = ""
	}
	o.Status, o.UpdatedUs = c.To, c.AtUs
}

// catchUp sends the changes behind a line of history. It reports the last line sent, and whether more is to come.
func (s *Service) catchUp(ctx context.Context, out chan<- *gen.Order, orderID string, behind int64) (int64, bool) {
	chapters, err := readHistory(ctx, s.db.Read, orderID, behind)
	if err != nil {
		s.complain(ctx, orderID, err)
		return behind, ctx.Err() == nil // the next look may succeed
	}
	for _, c := range chapters {
		o, err := s.order(ctx, orderID)
		if err != nil {
			s.complain(ctx, orderID, err)
			return behind, ctx.Err() == nil
		}
		o.at(c)
		if !send(ctx, out, o.present()) || final(c.To) {
			return behind, false
		}
		behind = c.Sequence
	}
	return behind, true
}

func (s *Service) complain(ctx context.Context, orderID string, err error) {
	if ctx.Err() == nil {
		s.cfg.Log.ErrorContext(ctx, "watch order", "order", orderID, "error", err)
	}
}

func send(ctx context.Context, out chan<- *gen.Order, o *gen.Order) bool {
	select {
	case out <- o:
		return true
	case <-ctx.Done():
		return false
	}
}

// ownerOf is whose order it is, or "" if there is none.
func (s *Service) ownerOf(ctx context.Context, orderID string) (string, error) {
	if !id.Is(id.Order, orderID) {
		return "", nil
	}
	var owner string
	err := s.db.Read.GetContext(ctx, &owner, `SELECT user_id FROM orders WHERE id = $1`, orderID)
	if database.NoRows(err) {
		return "", nil
	}
	return owner, err
}
