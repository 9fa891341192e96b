package orders_test

import (
	"maps"
	"slices"
	"time"
)

// reservation is what inventory holds for an order.
type reservation struct {
	state   string
	lines   map[string]int64
	expires time.Time
	back    map[string]bool // keys of what was put back in part
}

func (s *shop) reserve(in map[string]any) any {
	orderID := in["orderId"].(string)
	if r := s.reservations[orderID]; r != nil {
		s.lapse(r)
		return reserved(r)
	}
	lines := map[string]int64{}
	for _, l := range in["lines"].([]any) {
		l := l.(map[string]any)
		lines[l["variantId"].(string)] += whole(l["quantity"])
	}
	for _, variantID := range slices.Sorted(maps.Keys(lines)) {
		if v := s.variants[variantID]; v.available < lines[variantID] {
			return refusal("INSUFFICIENT_STOCK", object{"variant": object{"id": variantID}, "available": v.available})
		}
	}
	for variantID, n := range lines {
		s.variants[variantID].available -= n
		s.variants[variantID].reserved += n
	}
	r := &reservation{"HELD", lines, s.now().Add(time.Duration(whole(in["ttlSeconds"])) * time.Second), map[string]bool{}}
	s.reservations[orderID] = r
	return reserved(r)
}

func reserved(r *reservation) any {
	return object{"payload": object{"reservation": object{"state": r.state}, "userErrors": []any{}}}
}

// lapse ends a reservation by the clock.
func (s *shop) lapse(r *reservation) {
	if r.state == "HELD" && !s.now().Before(r.expires) {
		s.move(r, "EXPIRED", func(v *variant, n int64) { v.reserved -= n; v.available += n })
	}
}

func (s *shop) move(r *reservation, to string, each func(v *variant, n int64)) {
	r.state = to
	for variantID, n := range r.lines {
		each(s.variants[variantID], n)
	}
}

// settle brings a reservation from one state to another, once.
func (s *shop) settle(in map[string]any, from, to string, each func(v *variant, n int64)) any {
	r := s.reservations[in["orderId"].(string)]
	if r == nil {
		return refusal("NOT_FOUND", nil)
	}
	s.lapse(r)
	switch {
	case r.state == to, to == "RELEASED" && r.state == "EXPIRED":
	case r.state == "EXPIRED" && to == "COMMITTED":
		return refusal("RESERVATION_EXPIRED", nil)
	case r.state != from:
		return refusal("ILLEGAL_TRANSITION", nil)
	default:
		s.move(r, to, each)
	}
	return reserved(r)
}

func (s *shop) commit(in map[string]any) any {
	return s.settle(in, "HELD", "COMMITTED", func(v *variant, n int64) { v.reserved -= n; v.sold += n })
}

func (s *shop) release(in map[string]any) any {
	return s.settle(in, "HELD", "RELEASED", func(v *variant, n int64) { v.reserved -= n; v.available += n })
}

func (s *shop) restock(in map[string]any) any {
	if lines, ok := in["lines"].([]any); ok {
		r, key := s.reservations[in["orderId"].(string)], in["idempotencyKey"].(string)
		for _, l := range lines {
			variantID, n := l.(object)["variantId"].(string), whole(l.(object)["quantity"])
			if r.back[key] {
				break
			}
			r.lines[variantID] -= n
			s.variants[variantID].sold -= n
			s.variants[variantID].available += n
		}
		r.back[key] = true
		return reserved(r)
	}
	return s.settle(in, "COMMITTED", "RESTOCKED", func(v *variant, n int64) { v.sold -= n; v.available += n })
}
