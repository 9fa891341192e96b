package orders

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// list is a connection of orders, newest first: of one user, or of all if userID is empty.
type list struct {
	userID        string
	filter        *gen.OrderFilter
	first, last   *int
	after, before *string
}

// where is the condition of the list, with its arguments.
func (l list) where() (string, []any, error) {
	conditions, args := []string{"1 = 1"}, []any(nil)
	add := func(condition string, value any) {
		args = append(args, value)
		conditions = append(conditions, fmt.Sprintf(condition, len(args)))
	}
	if l.userID != "" {
		add("user_id = $%d", l.userID)
	}
	if f := l.filter; f != nil {
		if len(f.Statuses) > len(gen.AllOrderStatus) {
			return "", nil, subgraph.Errorf(subgraph.BadInput, "filter.statuses has %d elements: there are %d statuses", len(f.Statuses), len(gen.AllOrderStatus))
		}
		if f.PlacedAfter != nil {
			add("placed_us > $%d", database.Micros(*f.PlacedAfter))
		}
		if f.PlacedBefore != nil {
			add("placed_us < $%d", database.Micros(*f.PlacedBefore))
		}
		if len(f.Statuses) > 0 {
			var in string
			in, args = database.In(args, f.Statuses)
			conditions = append(conditions, "status IN "+in)
		}
	}
	return strings.Join(conditions, " AND "), args, nil
}

// orders reads a page of the list.
func (s *Service) orders(ctx context.Context, l list) (*gen.OrderConnection, error) {
	w, err := page.New(l.first, l.after, l.last, l.before, 2)
	if err != nil {
		return nil, err
	}
	where, args, err := l.where()
	if err != nil {
		return nil, err
	}
	connection := &gen.OrderConnection{Edges: []*gen.OrderEdge{}}
	if slices.Contains(graphql.CollectAllFields(ctx), "totalCount") {
		if err := s.db.Read.GetContext(ctx, &connection.TotalCount, `SELECT COUNT(*) FROM orders WHERE `+where, args...); err != nil {
			return nil, fmt.Errorf("count orders: %w", err)
		}
	}
	keyset, args, err := keyset(w, where, args)
	if err != nil {
		return nil, err
	}
	rows, err := readOrders(ctx, s.db.Read, "o.id IN ("+keyset+")", args...)
	if err != nil {
		return nil, err
	}
	if !w.Backward {
		slices.Reverse(rows) // readOrders is oldest first
	}
	rows, hasPrevious, hasNext := page.Cut(w, rows)
	connection.PageInfo = gen.PageInfo{HasPreviousPage: hasPrevious, HasNextPage: hasNext}
	for _, o := range rows {
		connection.Edges = append(connection.Edges, &gen.OrderEdge{Cursor: page.Cursor(strconv.FormatInt(o.PlacedUs, 10), o.ID), Node: *o.present()})
	}
	if n := len(connection.Edges); n > 0 {
		connection.PageInfo.StartCursor, connection.PageInfo.EndCursor = &connection.Edges[0].Cursor, &connection.Edges[n-1].Cursor
	}
	return connection, nil
}

// keyset is the query of the ids of a page.
func keyset(w page.Window, where string, args []any) (string, []any, error) {
	order, comparison := "DESC", "<"
	if w.Backward {
		order, comparison = "ASC", ">"
	}
	if w.Cursor != nil {
		placed, err := strconv.ParseInt(w.Cursor[0], 10, 64)
		if err != nil || !id.Is(id.Order, w.Cursor[1]) {
			return "", nil, subgraph.Errorf(subgraph.BadInput, "this is no cursor of this list")
		}
		where += fmt.Sprintf(" AND (placed_us, id) %s ($%d, $%d)", comparison, len(args)+1, len(args)+2)
		args = append(args, placed, w.Cursor[1])
	}
	args = append(args, w.Limit+1)
	return fmt.Sprintf("SELECT id FROM orders WHERE %s ORDER BY placed_us %s, id %s LIMIT $%d", where, order, order, len(args)), args, nil
}
