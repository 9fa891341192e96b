// Package scalar holds the GraphQL scalars that the subgraphs share, as gqlgen wants them. What they can't read is the
// client's mistake, and an error that says so.
package scalar

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/internal/subgraph"
)

// maxExact is the largest integer that every JSON reader holds exactly.
const maxExact = 1<<53 - 1

// MarshalInt64 writes a JSON number up to 2^53-1 and a string above, which JavaScript can't hold exactly.
func MarshalInt64(n int64) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		s := strconv.FormatInt(n, 10)
		if n > maxExact || n < -maxExact {
			s = strconv.Quote(s)
		}
		_, err := io.WriteString(w, s)
		return err
	})
}

// UnmarshalInt64 reads a JSON integer, or one in a string.
func UnmarshalInt64(_ context.Context, v any) (int64, error) {
	switch v := v.(type) {
	case string:
		return parseInt64(v)
	case json.Number:
		return parseInt64(string(v))
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case float64:
		if n := int64(v); float64(n) == v && n <= maxExact && n >= -maxExact {
			return n, nil
		}
	}
	return 0, subgraph.Errorf(subgraph.BadInput, "Int64 cannot represent %v: it takes a whole number of 64 bits", v)
}

func parseInt64(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, subgraph.Errorf(subgraph.BadInput, "Int64 cannot represent %.50q: it takes a whole number of 64 bits", s)
	}
	return n, nil
}

// layout writes microseconds always, so that equal instants are equal strings.
const layout = "2006-01-02T15:04:05.000000Z07:00"

// FormatDateTime is the text of an instant: RFC 3339 in UTC with microseconds.
func FormatDateTime(t time.Time) string { return t.UTC().Format(layout) }

// MarshalDateTime writes an instant as FormatDateTime does.
func MarshalDateTime(t time.Time) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, `"`+FormatDateTime(t)+`"`)
		return err
	})
}

// UnmarshalDateTime reads an RFC 3339 instant of any offset.
func UnmarshalDateTime(_ context.Context, v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, subgraph.Errorf(subgraph.BadInput, "DateTime cannot represent %v: it takes an RFC 3339 string", v)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, subgraph.Errorf(subgraph.BadInput, "DateTime cannot represent %.50q: it takes an RFC 3339 string such as 2026-11-22T08:00:00Z", s)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}
