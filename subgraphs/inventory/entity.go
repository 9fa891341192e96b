package inventory

import (
	"context"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/inventory/gen"
)

// Entity returns the resolver of references: each batch is one query.
func (r *resolver) Entity() gen.EntityResolver { return entities{r.s} }

type entities struct{ s *Service }

// FindProductVariant resolves references to variants.
func (e entities) FindProductVariant(ctx context.Context, reps []*gen.ProductVariantRepresentation) ([]*gen.ProductVariant, error) {
	ids := make([]string, len(reps))
	for i, rep := range reps {
		ids[i] = *rep.ID
	}
	variants, err := e.s.variants(ctx, ids)
	for i, rep := range reps {
		if err == nil {
			variants[i].WeightGrams = rep.WeightGrams
		}
	}
	return variants, err
}

// variants are the models of variants, in the order of their ids. One that has no stock yet is out of stock.
func (s *Service) variants(ctx context.Context, ids []string) ([]*gen.ProductVariant, error) {
	levels, err := s.levelsFor(ctx, ids)
	if err != nil {
		return nil, err
	}
	asOf := s.now().UTC()
	models := make([]*gen.ProductVariant, len(ids))
	for i, variant := range ids {
		l := levels[variant]
		models[i] = &gen.ProductVariant{
			ID: variant,
			Availability: &gen.VariantAvailability{
				Status:         gen.StockStatus(l.band()),
				MaxPurchasable: int(min(max(l.Available(), 0), maxPurchase)),
				AsOf:           asOf,
			},
			StockLevel: levelModel(l),
		}
		models[i].StockLevel.AsOf = asOf
	}
	return models, nil
}

// maxPurchase is how many units of a variant one order can have.
const maxPurchase = 99

// FindProduct resolves references to products: in stock if any of their variants is.
func (e entities) FindProduct(ctx context.Context, reps []*gen.ProductRepresentation) ([]*gen.Product, error) {
	var ids []string
	for _, rep := range reps {
		for _, v := range rep.Variants {
			if v.ID != nil {
				ids = append(ids, *v.ID)
			}
		}
	}
	levels, err := e.s.levelsFor(ctx, ids)
	if err != nil {
		return nil, err
	}
	products := make([]*gen.Product, len(reps))
	for i, rep := range reps {
		any := false
		for _, v := range rep.Variants {
			if v.ID != nil {
				l := levels[*v.ID]
				any = any || l.Available() > 0
			}
		}
		products[i] = &gen.Product{ID: *rep.ID, InStock: &any}
	}
	return products, nil
}

// FindOrder resolves references to orders, with their reservations for those who may see them.
func (e entities) FindOrder(ctx context.Context, reps []*gen.OrderRepresentation) ([]*gen.Order, error) {
	orders := make([]*gen.Order, len(reps))
	ids := make([]string, len(reps))
	for i, rep := range reps {
		ids[i] = *rep.ID
		orders[i] = &gen.Order{ID: *rep.ID}
	}
	if !identity.From(ctx).Has("inventory:read") {
		return orders, nil
	}
	found, err := e.s.reservations(ctx, "order_id", ids)
	if err != nil {
		return nil, err
	}
	shared, byOrder := sharedIn(ctx), map[string]*Reservation{}
	for _, r := range found {
		byOrder[r.OrderID] = r
	}
	for _, o := range orders {
		if r := byOrder[o.ID]; r != nil {
			o.Reservation = shared.present(r)
		}
	}
	return orders, nil
}

// FindReservation resolves references to reservations.
func (e entities) FindReservation(ctx context.Context, reps []*gen.ReservationRepresentation) ([]*gen.Reservation, error) {
	if err := need(ctx, "inventory:read"); err != nil {
		return nil, err
	}
	ids := make([]string, len(reps))
	for i, rep := range reps {
		ids[i] = *rep.ID
	}
	found, err := e.s.reservations(ctx, "id", ids)
	if err != nil {
		return nil, err
	}
	shared, byID := sharedIn(ctx), map[string]*gen.Reservation{}
	for _, r := range found {
		byID[r.ID] = shared.present(r)
	}
	reservations := make([]*gen.Reservation, len(reps))
	for i, reservation := range ids {
		reservations[i] = byID[reservation]
	}
	return reservations, nil
}

// reservations are those whose column, id or order_id, has one of the values; one that has outlived its time is shown
// as expired. One statement.
func (s *Service) reservations(ctx context.Context, column string, values []string) ([]*Reservation, error) {
	if values = id.WellFormed(map[string]string{"id": id.Reservation, "order_id": id.Order}[column], values); len(values) == 0 {
		return nil, nil
	}
	list, args := database.In(nil, values)
	var rows []struct {
		Reservation
		part
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT r.id, r.order_id, r.state, r.expires_us, l.variant_id, l.location_id, l.quantity, l.restocked, p.name, p.rank
		FROM reservation r JOIN reservation_part l ON l.reservation_id = r.id JOIN location p ON p.id = l.location_id
		WHERE r.`+column+` IN `+list+` ORDER BY r.id, l.variant_id, p.rank, p.id`, args...)
	if err != nil {
		return nil, err
	}
	var found []*Reservation
	for _, row := range rows {
		if len(found) == 0 || found[len(found)-1].ID != row.ID {
			r := row.Reservation
			if r.State == held && r.ExpiresUs <= database.Micros(s.now()) {
				r.State = expired
			}
			found = append(found, &r)
		}
		found[len(found)-1].take(row.part)
	}
	return found, nil
}

// Order returns the resolver of Order.
func (r *resolver) Order() gen.OrderResolver { return orders{} }

type orders struct{}

// Reservation resolves Order.reservation. FindOrder has read it, but for an order that a reservation leads to.
func (orders) Reservation(ctx context.Context, order *gen.Order) (*gen.Reservation, error) {
	if err := need(ctx, "inventory:read"); err != nil || order.Reservation != nil {
		return order.Reservation, err
	}
	return sharedIn(ctx).reservations.Get(ctx, order.ID)
}

// Product returns the resolver of Product.
func (r *resolver) Product() gen.ProductResolver { return products{} }

type products struct{}

// Variants resolves Product.variants, which is the catalogue's: nobody asks for it here.
func (products) Variants(_ context.Context, p *gen.Product) ([]*gen.ProductVariant, error) {
	return p.Variants, nil
}

// ProductVariant returns the resolver of ProductVariant.
func (r *resolver) ProductVariant() gen.ProductVariantResolver { return variants{r.s} }

type variants struct{ s *Service }

// Availability resolves ProductVariant.availability.
func (v variants) Availability(ctx context.Context, variant *gen.ProductVariant) (*gen.VariantAvailability, error) {
	variant, err := v.read(ctx, variant)
	if err != nil {
		return nil, err
	}
	return variant.Availability, nil
}

// read is the variant with its balance: FindProductVariant has read it for a whole batch, but not for a variant that a
// reservation or a refusal leads to.
func (v variants) read(ctx context.Context, variant *gen.ProductVariant) (*gen.ProductVariant, error) {
	if variant.Availability != nil {
		return variant, nil
	}
	return sharedIn(ctx).variants.Get(ctx, variant.ID)
}

// ShippingEstimate resolves ProductVariant.shippingEstimate from the weight that the router has brought along; a
// variant without one has no estimate.
func (variants) ShippingEstimate(_ context.Context, v *gen.ProductVariant, countryCode string) (*gen.ShippingEstimate, error) {
	if len(countryCode) != 2 {
		return nil, subgraph.Errorf(subgraph.BadInput, "countryCode %q is no ISO 3166 code of two letters", countryCode)
	}
	if v.WeightGrams == nil {
		return nil, nil
	}
	cost, days := estimate(countryCode, *v.WeightGrams)
	return &gen.ShippingEstimate{Cost: cost, Days: days}, nil
}

// StockLevel resolves ProductVariant.stockLevel.
func (v variants) StockLevel(ctx context.Context, variant *gen.ProductVariant) (*gen.StockLevel, error) {
	if err := need(ctx, "inventory:read"); err != nil {
		return nil, err
	}
	variant, err := v.read(ctx, variant)
	if err != nil {
		return nil, err
	}
	return variant.StockLevel, nil
}
