package inventory

import (
	"fmt"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/inventory/gen"
)

// The bounds of what commands take.
const (
	maxLines     = 100
	maxQuantity  = 1_000_000
	maxTTL       = 24 * time.Hour
	maxReference = 200 // bytes
)

// invalid adds that a field of the input is wrong.
func (r *refusals) invalid(message string, field ...string) {
	*r = append(*r, &Refusal{Code: "INVALID_INPUT", Message: message, Field: append([]string{"input"}, field...)})
}

func readReservation(input gen.StockReserveInput) ([]Line, refusals) {
	var wrong refusals
	if !id.Is(id.Order, input.OrderID) {
		wrong.invalid("this is no order's id", "orderId")
	}
	wrong.life(input.TTLSeconds)
	return wrong.lines(input.Lines), wrong
}

// life adds that a reservation can't last that long.
func (r *refusals) life(seconds int) {
	if seconds < 1 || seconds > int(maxTTL/time.Second) {
		r.invalid("a reservation lasts 1 to 86400 seconds", "ttlSeconds")
	}
}

// lines reads lines, and adds what is wrong with them.
func (r *refusals) lines(input []*gen.StockLineInput) []Line {
	if n := len(input); n == 0 || n > maxLines {
		r.invalid(fmt.Sprintf("a reservation has 1 to %d lines", maxLines), "lines")
		return nil
	}
	var lines []Line
	for i, l := range input {
		if !id.Is(id.Variant, l.VariantID) {
			r.invalid("this is no variant's id", "lines", strconv.Itoa(i), "variantId")
		}
		if l.Quantity < 1 || l.Quantity > maxQuantity {
			r.invalid(fmt.Sprintf("a quantity is 1 to %d", maxQuantity), "lines", strconv.Itoa(i), "quantity")
		}
		lines = append(lines, Line{l.VariantID, int64(l.Quantity)})
	}
	return lines
}

// readRestock reads the lines that are to be put back, and their key.
func readRestock(input gen.StockRestockInput) (lines []Line, key string, wrong refusals) {
	if input.IdempotencyKey != nil {
		key = *input.IdempotencyKey
	}
	if !idempotency.Valid(key) {
		wrong.invalid(fmt.Sprintf("an idempotency key has 1 to %d bytes", idempotency.MaxLength), "idempotencyKey")
	}
	if input.Lines != nil {
		lines = wrong.lines(input.Lines)
	}
	return lines, key, wrong
}

func readAdjustment(input gen.StockAdjustInput) (Adjustment, refusals) {
	a := Adjustment{Reason: string(input.Reason), Key: input.IdempotencyKey}
	if input.Reference != nil {
		a.Reference = *input.Reference
	}
	var wrong refusals
	if !idempotency.Valid(a.Key) {
		wrong.invalid(fmt.Sprintf("an idempotency key has 1 to %d bytes", idempotency.MaxLength), "idempotencyKey")
	}
	if len(a.Reference) > maxReference || !database.Storable(a.Reference) {
		wrong.invalid(fmt.Sprintf("a reference has at most %d bytes", maxReference), "reference")
	}
	if n := len(input.Changes); n == 0 || n > maxLines {
		wrong.invalid(fmt.Sprintf("an adjustment has 1 to %d changes", maxLines), "changes")
		return a, wrong
	}
	for i, c := range input.Changes {
		if c.Delta == 0 || c.Delta < -maxQuantity || c.Delta > maxQuantity {
			wrong.invalid(fmt.Sprintf("a change is 1 to %d units, in or out", maxQuantity), "changes", strconv.Itoa(i), "delta")
		}
		change := Adjust{VariantID: c.VariantID, Delta: int64(c.Delta), From: c.ChangeFromQuantity}
		if c.LocationID != nil {
			change.LocationID = *c.LocationID
		}
		a.Changes = append(a.Changes, change)
	}
	return a, wrong
}
