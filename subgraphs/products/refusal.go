package products

import (
	"errors"
	"fmt"

	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// Refusal is why a command was not carried out: for the caller to act on.
type Refusal struct {
	// Code is one of the CatalogueErrorCode.
	Code    gen.CatalogueErrorCode
	Message string
	// Field is the path into the mutation's arguments, if the refusal concerns one of them.
	Field []string
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// refusals are all the reasons against one command.
type refusals []*Refusal

// Error is the first message.
func (r refusals) Error() string { return r[0].Message }

// refuse adds a reason.
func (r *refusals) refuse(code gen.CatalogueErrorCode, field []string, format string, args ...any) {
	*r = append(*r, &Refusal{Code: code, Message: fmt.Sprintf(format, args...), Field: field})
}

// err is the refusals as an error, or nil if there are none.
func (r refusals) err() error {
	if len(r) == 0 {
		return nil
	}
	return r
}

// refused is one reason as an error.
func refused(code gen.CatalogueErrorCode, field []string, format string, args ...any) error {
	var r refusals
	r.refuse(code, field, format, args...)
	return r
}

// userErrors are the refusals in err, or the error that it is otherwise.
func userErrors(err error) ([]*gen.CatalogueUserError, error) {
	errs := []*gen.CatalogueUserError{}
	var refused refusals
	if !errors.As(err, &refused) {
		return errs, err
	}
	for _, r := range refused {
		errs = append(errs, &gen.CatalogueUserError{Code: r.Code, Message: r.Message, Field: r.Field})
	}
	return errs, nil
}
