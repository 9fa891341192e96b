package orders

import (
	"errors"
	"fmt"

	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// refusal is something that the caller can act on: a user error of the payload. It is stored with an order that
// was refused.
type refusal struct {
	Code      gen.OrderErrorCode `json:"code"`
	Message   string             `json:"message"`
	Field     []string           `json:"field,omitempty"`
	VariantID string             `json:"variantId,omitempty"`
	Available *int               `json:"available,omitempty"`
}

// refusals are all the reasons against one command.
type refusals []*refusal

// Error is the first message.
func (r refusals) Error() string { return r[0].Message }

func refuse(code gen.OrderErrorCode, field []string, format string, args ...any) *refusal {
	return &refusal{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

func invalid(field []string, format string, args ...any) *refusal {
	return refuse(gen.OrderErrorCodeInvalidInput, field, format, args...)
}

func badKey() *refusal {
	return invalid(input("idempotencyKey"), "an idempotency key has 1 to %d bytes", idempotency.MaxLength)
}

func noOrder(orderID string) error {
	return refusals{refuse(gen.OrderErrorCodeNotFound, []string{"id"}, "there is no order %.50q", orderID)}
}

// input is the path to a field of the mutation's input.
func input(names ...string) []string { return append([]string{"input"}, names...) }

// short says that there is less of a variant than is wanted.
func short(variantID string, available int, field []string) *refusal {
	r := refuse(gen.OrderErrorCodeInsufficientStock, field, "only %d are available", available)
	if available == 0 {
		r.Message = "it is out of stock"
	}
	r.VariantID, r.Available = variantID, &available
	return r
}

func (r *refusal) present() *gen.OrderUserError {
	e := &gen.OrderUserError{Code: r.Code, Message: r.Message, Field: r.Field, Available: r.Available}
	if r.VariantID != "" {
		e.Variant = &gen.ProductVariant{ID: r.VariantID}
	}
	return e
}

// userErrors are the refusals in err, or the error that it is otherwise.
func userErrors(err error) ([]*gen.OrderUserError, error) {
	shown := []*gen.OrderUserError{}
	var all refusals
	if err != nil && !errors.As(err, &all) {
		return nil, err
	}
	for _, r := range all {
		shown = append(shown, r.present())
	}
	return shown, nil
}
