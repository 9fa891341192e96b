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
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// list is a connection of orders, newest first.
type list struct {
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

// orders reads a page of all orders.
func (s *Service) orders(ctx context.Context, l list) (*gen.OrderConnection, error) {
	pages, err := s.pages(ctx, l, nil)
	return pages[""], err
}

// ordersOf is a page of a user's orders: read together with those of the other users of the operation who are asked for
// the same.
func (s *Service) ordersOf(ctx context.Context, userID string, l list) (*gen.OrderConnection, error) {
	alike := idempotency.Digest([]any{l.filter, l.first, l.after, l.last, l.before, counted(ctx)})
	return sharedIn(ctx).page(alike, func(ctx context.Context, users []string) (map[string]*gen.OrderConnection, error) {
		return s.pages(ctx, l, users)
	}).Get(ctx, userID)
}

// counted reports whether a connection's totalCount is asked for.
func counted(ctx context.Context) bool {
	return slices.Contains(graphql.CollectAllFields(ctx), "totalCount")
}

// pages reads the page of each of some users, or that of all orders, under "", if there are none: in one query, and one
// more for the counts.
func (s *Service) pages(ctx context.Context, l list, users []string) (map[string]*gen.OrderConnection, error) {
	w, err := page.New(l.first, l.after, l.last, l.before, 2)
	if err != nil {
		return nil, err
	}
	where, args, err := l.where()
	if err != nil {
		return nil, err
	}
	pages := map[string]*gen.OrderConnection{}
	for _, userID := range users {
		pages[userID] = &gen.OrderConnection{Edges: []*gen.OrderEdge{}}
	}
	owner := func(o *order) string { return o.UserID }
	if users == nil {
		pages[""] = &gen.OrderConnection{Edges: []*gen.OrderEdge{}}
		owner = func(*order) string { return "" }
	} else {
		var in string
		in, args = database.In(args, users)
		where += " AND user_id IN " + in
	}
	if counted(ctx) {
		if err := s.count(ctx, pages, users == nil, where, args); err != nil {
			return nil, err
		}
	}
	keyset, args, err := keyset(w, where, args, users != nil)
	if err != nil {
		return nil, err
	}
	rows, err := readOrders(ctx, s.db.Read, "o.id IN ("+keyset+")", args...)
	if err != nil {
		return nil, err
	}
	of := map[string][]*order{}
	for _, o := range rows {
		of[owner(o)] = append(of[owner(o)], o)
	}
	for userID, connection := range pages {
		show(ctx, connection, w, of[userID])
	}
	return pages, nil
}

// count fills in how many orders there are behind each page.
func (s *Service) count(ctx context.Context, pages map[string]*gen.OrderConnection, all bool, where string, args []any) error {
	owner := "user_id"
	if all {
		owner = "''"
	}
	var counts []struct {
		UserID string `db:"user_id"`
		N      int
	}
	err := s.db.Read.SelectContext(ctx, &counts, `SELECT `+owner+` AS user_id, COUNT(*) AS n FROM orders WHERE `+where+` GROUP BY 1`, args...)
	if err != nil {
		return fmt.Errorf("count orders: %w", err)
	}
	for _, c := range counts {
		pages[c.UserID].TotalCount = c.N
	}
	return nil
}

// show fills a connection with the orders of a window, which come oldest first.
func show(ctx context.Context, connection *gen.OrderConnection, w page.Window, rows []*order) {
	if !w.Backward {
		slices.Reverse(rows)
	}
	rows, hasPrevious, hasNext := page.Cut(w, rows)
	connection.PageInfo = gen.PageInfo{HasPreviousPage: hasPrevious, HasNextPage: hasNext}
	for _, o := range rows {
		sharedIn(ctx).history.Want(o.ID)
		connection.Edges = append(connection.Edges, &gen.OrderEdge{Cursor: page.Cursor(strconv.FormatInt(o.PlacedUs, 10), o.ID), Node: *o.present()})
	}
	if n := len(connection.Edges); n > 0 {
		connection.PageInfo.StartCursor, connection.PageInfo.EndCursor = &connection.Edges[0].Cursor, &connection.Edges[n-1].Cursor
	}
}

// keyset is the query of the ids of a page, or of a page of each user.
func keyset(w page.Window, where string, args []any, each bool) (string, []any, error) {
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
	if each {
		return fmt.Sprintf(`SELECT id FROM (
			SELECT id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY placed_us %s, id %s) AS place FROM orders WHERE %s
		) ranked WHERE place <= $%d`, order, order, where, len(args)), args, nil
	}
	return fmt.Sprintf("SELECT id FROM orders WHERE %s ORDER BY placed_us %s, id %s LIMIT $%d", where, order, order, len(args)), args, nil
}
