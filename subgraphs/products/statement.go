package products

import (
	"fmt"
	"strings"
)

// statement is SQL in the making: arguments are numbered in the order in which they are written.
type statement struct {
	text strings.Builder
	args []any
}

// sql writes SQL: constants of this package only, never anything that a caller has given.
func (q *statement) sql(parts ...any) *statement {
	for _, p := range parts {
		fmt.Fprint(&q.text, p)
	}
	return q
}

// arg writes the placeholder of an argument.
func (q *statement) arg(value any) *statement {
	q.args = append(q.args, value)
	fmt.Fprintf(&q.text, "$%d", len(q.args))
	return q
}

// in writes the list of an IN, which is false if it has no values.
func in[T any](q *statement, column string, values []T) {
	if len(values) == 0 {
		q.sql(`FALSE`)
		return
	}
	q.sql(column, ` IN (`)
	for i, v := range values {
		if i > 0 {
			q.sql(`, `)
		}
		q.arg(v)
	}
	q.sql(`)`)
}
