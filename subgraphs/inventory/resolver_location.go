package inventory

import (
	"context"

	"github.com/agora-supergraph/agora/subgraphs/inventory/gen"
)

// Locations resolves Query.locations.
func (q queries) Locations(ctx context.Context) ([]*gen.Location, error) {
	if err := need(ctx, "inventory:read"); err != nil {
		return nil, err
	}
	all, err := q.s.Locations(ctx)
	models := make([]*gen.Location, len(all))
	for i, l := range all {
		model := locationModel(l)
		models[i] = &model
	}
	return models, err
}

// LocationCreate resolves Mutation.locationCreate.
func (m mutations) LocationCreate(ctx context.Context, input gen.LocationInput) (*gen.LocationPayload, error) {
	return m.saveLocation(ctx, Location{Name: input.Name, Rank: int64(input.Rank)})
}

// LocationUpdate resolves Mutation.locationUpdate.
func (m mutations) LocationUpdate(ctx context.Context, locationID string, input gen.LocationInput) (*gen.LocationPayload, error) {
	return m.saveLocation(ctx, Location{locationID, input.Name, int64(input.Rank)})
}

func (m mutations) saveLocation(ctx context.Context, l Location) (*gen.LocationPayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	l, err := m.s.SaveLocation(ctx, l)
	errs, err := userErrors(err)
	if err != nil {
		return nil, err
	}
	payload := &gen.LocationPayload{UserErrors: errs}
	if len(errs) == 0 {
		model := locationModel(l)
		payload.Location = &model
	}
	return payload, nil
}

// LowStockThresholdSet resolves Mutation.lowStockThresholdSet.
func (m mutations) LowStockThresholdSet(ctx context.Context, input gen.LowStockThresholdInput) (*gen.StockAdjustPayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	return m.s.adjustPayload(ctx, []string{input.VariantID}, m.s.SetLowStock(ctx, input.VariantID, int64(input.Threshold)))
}

func locationModel(l Location) gen.Location {
	return gen.Location{ID: l.ID, Name: l.Name, Rank: int(l.Rank)}
}

func levelModel(l Level) *gen.StockLevel {
	model := &gen.StockLevel{
		OnHand: l.OnHand, Reserved: l.Reserved, Available: l.Available(), Sold: l.Sold, Version: l.Version,
		LowStockThreshold: l.Low, Locations: make([]*gen.StockAtLocation, len(l.At)),
	}
	for i, a := range l.At {
		model.Locations[i] = &gen.StockAtLocation{
			Location: locationModel(Location{a.LocationID, a.Name, a.Rank}),
			OnHand:   a.OnHand, Reserved: a.Reserved, Available: a.Available(), Sold: a.Sold,
		}
	}
	return model
}
