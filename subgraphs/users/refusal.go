package users

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// refused is the error of a command whose caller can do something about it: what goes into the payload's
// userErrors.
type refused []*gen.AuthUserError

// Error joins the messages.
func (r refused) Error() string {
	messages := make([]string, len(r))
	for i, e := range r {
		messages[i] = e.Message
	}
	return strings.Join(messages, "; ")
}

// refuse is a refusal without regard to one field.
func refuse(code gen.AuthErrorCode, format string, args ...any) refused {
	return refused{{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// at says which argument the refusal is about, by the path to it.
func (r refused) at(path ...string) refused {
	r[0].Field = path
	return r
}

// wait refuses until a time.
func wait(until time.Time, format string, args ...any) refused {
	r := refuse(gen.AuthErrorCodeTooManyAttempts, format, args...)
	r[0].RetryAfter = &until
	return r
}

// userErrors splits an error in what goes into the payload, and what does not.
func userErrors(err error) (refused, error) {
	var r refused
	if errors.As(err, &r) {
		return r, nil
	}
	return refused{}, err
}
