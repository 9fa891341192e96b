// Package page reads the arguments of Relay connections (https://relay.dev/graphql/connections.htm) and makes
// their cursors. Pages are found by keyset: a cursor holds the sort key and id of its row, so that rows that come
// and go elsewhere neither repeat nor hide any, and page 500 costs what page 1 does.
package page

import (
	"encoding/base64"
	"encoding/json"

	"github.com/agora-supergraph/agora/internal/subgraph"
)

// The sizes of pages.
const (
	Default = 20
	Max     = 100
)

// Window is a page that is asked for.
type Window struct {
	// Limit is how many rows are wanted. Read one more, to know whether there is another page.
	Limit int
	// Backward asks for the last rows instead of the first: read in reverse order, then turn around.
	Backward bool
	// Cursor is the key of the row that the page begins behind (or ends before, if Backward), as given to
	// Cursor; nil at the end of the list.
	Cursor []string
}

// New checks the arguments of a connection field, whose cursors have keys of parts strings. A wrong argument is
// an error with the code BAD_USER_INPUT.
func New(first *int, after *string, last *int, before *string, parts int) (Window, error) {
	if first != nil && last != nil {
		return Window{}, subgraph.Errorf(subgraph.BadInput, "give first or last, not both")
	}
	w := Window{Limit: Default, Backward: last != nil || (first == nil && before != nil)}
	size, name, cursor, other, otherName := first, "first", after, before, "before"
	if w.Backward {
		size, name, cursor, other, otherName = last, "last", before, after, "after"
	}
	if size != nil {
		w.Limit = *size
	}
	if w.Limit < 0 || w.Limit > Max {
		return Window{}, subgraph.Errorf(subgraph.BadInput, "%s is %d: it may be 0 to %d", name, w.Limit, Max)
	}
	if other != nil {
		return Window{}, subgraph.Errorf(subgraph.BadInput, "%s does not go with %s", otherName, name)
	}
	if cursor == nil {
		return w, nil
	}
	var err error
	w.Cursor, err = decode(*cursor, parts)
	return w, err
}

// Cursor is the cursor of a row, by its sort key and id.
func Cursor(key ...string) string {
	raw, err := json.Marshal(key)
	if err != nil {
		panic(err) // strings are always encodable
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decode(cursor string, parts int) ([]string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	var key []string
	if err != nil || json.Unmarshal(raw, &key) != nil || len(key) != parts {
		return nil, subgraph.Errorf(subgraph.BadInput, "%.50q is no cursor of this list", cursor)
	}
	return key, nil
}

// Cut takes the rows that were read for a window, one more than its limit at most, in the order of reading; it
// returns those of the page in the order of the list, and whether there are pages before and behind it.
func Cut[T any](w Window, rows []T) (page []T, hasPrevious, hasNext bool) {
	more := len(rows) > w.Limit
	if more {
		rows = rows[:w.Limit]
	}
	if !w.Backward {
		return rows, w.Cursor != nil, more
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows, more, w.Cursor != nil
}
