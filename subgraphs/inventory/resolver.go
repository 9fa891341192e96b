package inventory

import (
	"context"
	"errors"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/inventory/gen"
)

// resolver is the root of all resolvers: they check who asks and what is asked, and leave the rest to the
// service.
type resolver struct{ s *Service }

// Query returns the resolver of Query.
func (r *resolver) Query() gen.QueryResolver { return queries{r.s} }

// Mutation returns the resolver of Mutation.
func (r *resolver) Mutation() gen.MutationResolver { return mutations{r.s} }

type queries struct{ s *Service }

// Reservation resolves Query.reservation.
func (q queries) Reservation(ctx context.Context, orderID string) (*gen.Reservation, error) {
	if err := need(ctx, "inventory:read"); err != nil {
		return nil, err
	}
	return sharedIn(ctx).reservations.Get(ctx, orderID)
}

type mutations struct{ s *Service }

// StockReserve resolves Mutation.stockReserve.
func (m mutations) StockReserve(ctx context.Context, input gen.StockReserveInput) (*gen.StockReservePayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	lines, wrong := readReservation(input)
	if len(wrong) > 0 {
		return sharedIn(ctx).payload(nil, wrong)
	}
	return sharedIn(ctx).payload(m.s.Reserve(ctx, input.OrderID, lines, time.Duration(input.TTLSeconds)*time.Second))
}

// StockCommit resolves Mutation.stockCommit.
func (m mutations) StockCommit(ctx context.Context, input gen.StockCommitInput) (*gen.StockReservePayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	return sharedIn(ctx).payload(m.s.Commit(ctx, input.OrderID))
}

// StockRelease resolves Mutation.stockRelease.
func (m mutations) StockRelease(ctx context.Context, input gen.StockReleaseInput) (*gen.StockReservePayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	return sharedIn(ctx).payload(m.s.Release(ctx, input.OrderID))
}

// StockRestock resolves Mutation.stockRestock.
func (m mutations) StockRestock(ctx context.Context, input gen.StockRestockInput) (*gen.StockReservePayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	if input.Lines == nil && input.IdempotencyKey == nil {
		return sharedIn(ctx).payload(m.s.Restock(ctx, input.OrderID))
	}
	lines, key, wrong := readRestock(input)
	if len(wrong) > 0 {
		return sharedIn(ctx).payload(nil, wrong)
	}
	if lines == nil { // all that is left: that happens once by itself
		return sharedIn(ctx).payload(m.s.Restock(ctx, input.OrderID))
	}
	return sharedIn(ctx).payload(m.s.RestockLines(ctx, input.OrderID, lines, key))
}

// StockExtend resolves Mutation.stockExtend.
func (m mutations) StockExtend(ctx context.Context, input gen.StockExtendInput) (*gen.StockReservePayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	var wrong refusals
	if wrong.life(input.TTLSeconds); len(wrong) > 0 {
		return sharedIn(ctx).payload(nil, wrong)
	}
	return sharedIn(ctx).payload(m.s.Extend(ctx, input.OrderID, time.Duration(input.TTLSeconds)*time.Second))
}

// StockAdjust resolves Mutation.stockAdjust.
func (m mutations) StockAdjust(ctx context.Context, input gen.StockAdjustInput) (*gen.StockAdjustPayload, error) {
	if err := need(ctx, "inventory:write"); err != nil {
		return nil, err
	}
	adjustment, wrong := readAdjustment(input)
	err := error(wrong)
	if len(wrong) == 0 {
		err = m.s.Adjust(ctx, adjustment)
	}
	variants := make([]string, len(adjustment.Changes))
	for i, c := range adjustment.Changes {
		variants[i] = c.VariantID
	}
	return m.s.adjustPayload(ctx, variants, err)
}

func (s *Service) adjustPayload(ctx context.Context, variants []string, err error) (*gen.StockAdjustPayload, error) {
	sharedIn(ctx).changed()
	errs, err := userErrors(err)
	payload := &gen.StockAdjustPayload{UserErrors: errs}
	if err == nil && len(errs) == 0 {
		payload.Variants, err = s.variants(ctx, variants)
	}
	return payload, err
}

// need refuses who lacks a scope. The router has checked it before; a subgraph does not rely on that.
func need(ctx context.Context, scope string) error {
	if !identity.From(ctx).Has(scope) {
		return subgraph.Forbidden("do this without the scope " + scope)
	}
	return nil
}

// userErrors are the refusals in err, or the error that it is otherwise.
func userErrors(err error) ([]*gen.InventoryUserError, error) {
	errs := []*gen.InventoryUserError{}
	var refused refusals
	if !errors.As(err, &refused) {
		return errs, err
	}
	for _, r := range refused {
		e := &gen.InventoryUserError{Code: gen.InventoryErrorCode(r.Code), Message: r.Message, Field: r.Field}
		if r.VariantID != "" {
			e.Variant = &gen.ProductVariant{ID: r.VariantID}
		}
		if e.Code == gen.InventoryErrorCodeInsufficientStock || e.Code == gen.InventoryErrorCodeWouldGoNegative {
			available := int(r.Available)
			e.Available = &available
		}
		errs = append(errs, e)
	}
	return errs, nil
}

func reservationModel(r *Reservation) *gen.Reservation {
	expires := database.Time(r.ExpiresUs)
	model := &gen.Reservation{ID: r.ID, Order: gen.Order{ID: r.OrderID}, State: gen.ReservationState(r.State), ExpiresAt: &expires}
	byVariant := map[string]*gen.ReservationLine{}
	for _, l := range r.Lines {
		line := &gen.ReservationLine{Variant: gen.ProductVariant{ID: l.VariantID}, Quantity: int(l.Quantity)}
		byVariant[l.VariantID] = line
		model.Lines = append(model.Lines, line)
	}
	for _, p := range r.parts {
		line := byVariant[p.VariantID]
		line.Restocked += int(p.Restocked)
		line.Allocations = append(line.Allocations, &gen.StockAllocation{Location: locationModel(Location{p.LocationID, p.Name, p.Rank}), Quantity: int(p.Quantity)})
	}
	return model
}
