package orders

import (
	"slices"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// transitions is the table of what an order's status may become: every change goes through it.
var transitions = map[gen.OrderStatus][]gen.OrderStatus{
	"": {gen.OrderStatusPending},
	gen.OrderStatusPending: {
		gen.OrderStatusStockReserved, gen.OrderStatusRejected, gen.OrderStatusCancelled,
	},
	gen.OrderStatusStockReserved: {
		gen.OrderStatusPaymentAuthorized, gen.OrderStatusActionRequired, gen.OrderStatusRejected, gen.OrderStatusCancelled,
	},
	gen.OrderStatusActionRequired: {
		gen.OrderStatusPaymentAuthorized, gen.OrderStatusRejected, gen.OrderStatusCancelled,
	},
	gen.OrderStatusPaymentAuthorized: {
		gen.OrderStatusConfirmed, gen.OrderStatusRejected, gen.OrderStatusCancelled,
	},
	gen.OrderStatusConfirmed: {
		gen.OrderStatusFulfilled, gen.OrderStatusPartiallyRefunded, gen.OrderStatusRefunded,
	},
	gen.OrderStatusPartiallyRefunded: {
		gen.OrderStatusFulfilled, gen.OrderStatusRefunded,
	},
	gen.OrderStatusFulfilled: {
		gen.OrderStatusPartiallyRefunded, gen.OrderStatusRefunded,
	},
	gen.OrderStatusCancelled: {},
	gen.OrderStatusRejected:  {},
	gen.OrderStatusRefunded:  {},
}

// mayBecome reports whether the table allows a change of status.
func mayBecome(from, to gen.OrderStatus) bool { return slices.Contains(transitions[from], to) }

// settled reports whether checkout has come to an end, or waits for the buyer.
func settled(s gen.OrderStatus) bool {
	switch s {
	case gen.OrderStatusPending, gen.OrderStatusStockReserved, gen.OrderStatusPaymentAuthorized:
		return false
	}
	return true
}

// final reports whether nothing more is going to happen to the order by itself: a subscription to it ends here. A
// fulfilled order may still be refunded, but nobody waits for that.
func final(s gen.OrderStatus) bool {
	return len(transitions[s]) == 0 || s == gen.OrderStatusFulfilled
}
