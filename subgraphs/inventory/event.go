package inventory

import (
	"context"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
)

// reservationEvent tells of a reservation's new state.
func reservationEvent(r *Reservation) event.Event {
	return event.New("agora.inventory.reservation."+strings.ToLower(r.State)+".v1", r.ID, struct {
		OrderID string `json:"orderId"`
		Lines   []Line `json:"lines"`
	}{r.OrderID, r.Lines})
}

const crossedType = "agora.inventory.stock.crossed.v1"

// crossedData is what an event tells of a variant that is in another band.
type crossedData struct {
	Status    band  `json:"status"`
	Available int64 `json:"available"`
	Version   int64 `json:"version"`
}

// crossed tells that a variant became low, ran out or came back: not of every unit.
func crossed(l Level) event.Event {
	return event.New(crossedType, l.VariantID, crossedData{l.band(), l.Available(), l.Version})
}

// applyCatalogue makes the balance of each variant that the catalogue creates.
func (s *Service) applyCatalogue(ctx context.Context, tx *database.Tx, e event.Event) error {
	if e.Type != "agora.products.variant.created.v1" {
		return nil
	}
	var data struct {
		VariantID string `json:"variantId"`
	}
	if err := e.Decode(&data); err != nil {
		return err
	}
	return s.know(ctx, tx, data.VariantID)
}
