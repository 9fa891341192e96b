package inventory

import (
	"context"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/subgraphs/inventory/gen"
)

// loads is what the resolvers of one operation share: whoever shows reservations says which variants and orders they lead
// to, and the first demand reads them for all.
type loads struct {
	variants     batch.Load[*gen.ProductVariant]
	reservations batch.Load[*gen.Reservation]
}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return batch.In[loads](ctx) }

func newLoads(s *Service) *loads {
	l := &loads{}
	l.variants.Read = func(ctx context.Context, ids []string) (map[string]*gen.ProductVariant, error) {
		models, err := s.variants(ctx, ids)
		found := make(map[string]*gen.ProductVariant, len(models))
		for _, m := range models {
			found[m.ID] = m
		}
		return found, err
	}
	l.reservations.Read = func(ctx context.Context, orders []string) (map[string]*gen.Reservation, error) {
		found, err := s.reservations(ctx, "order_id", orders)
		byOrder := make(map[string]*gen.Reservation, len(found))
		for _, r := range found {
			byOrder[r.OrderID] = l.show(r)
		}
		return byOrder, err
	}
	return l
}

// present is the model of a reservation, whose variants and order may be asked for.
func (l *loads) present(r *Reservation) *gen.Reservation {
	l.reservations.Want(r.OrderID)
	return l.show(r)
}

// show is present for a reservation of which its order is asked already.
func (l *loads) show(r *Reservation) *gen.Reservation {
	model := reservationModel(r)
	for _, line := range model.Lines {
		l.variants.Want(line.Variant.ID)
	}
	return model
}

// changed drops what a command of the operation may have changed.
func (l *loads) changed() {
	l.variants.ForgetAll()
	l.reservations.ForgetAll()
}

// payload is what a command answers: what it may have changed is read anew.
func (l *loads) payload(r *Reservation, err error) (*gen.StockReservePayload, error) {
	l.changed()
	errs, err := userErrors(err)
	if err != nil {
		return nil, err
	}
	payload := &gen.StockReservePayload{UserErrors: errs}
	if r != nil {
		payload.Reservation = l.present(r)
	}
	return payload, nil
}
