package users

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// addressPage is a page of a user's addresses in the order of their creation, which that of their ids is. They are
// read whole, since they are few: so those of all users of a list are one query, whatever pages are wanted.
func (s *Service) addressPage(ctx context.Context, userID string, first *int, after *string) (*gen.AddressConnection, error) {
	w, err := page.New(first, after, nil, nil, 1)
	if err != nil {
		return nil, err
	}
	last := ""
	if w.Cursor != nil {
		if last = w.Cursor[0]; !id.Is(id.Address, last) {
			return nil, subgraph.Errorf(subgraph.BadInput, "%.50q is no cursor of this list", *after)
		}
	}
	all, err := sharedIn(ctx).addresses.Get(ctx, userID)
	if err != nil {
		return nil, err
	}
	c := &gen.AddressConnection{TotalCount: len(all)}
	rows := all
	for len(rows) > 0 && rows[0].ID <= last {
		rows = rows[1:]
	}
	rows, c.PageInfo.HasPreviousPage, c.PageInfo.HasNextPage = page.Cut(w, rows)
	c.Edges = make([]*gen.AddressEdge, len(rows))
	for i := range rows {
		c.Edges[i] = &gen.AddressEdge{Cursor: page.Cursor(rows[i].ID), Node: *rows[i].view()}
	}
	if len(rows) > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[len(rows)-1].Cursor
	}
	return c, nil
}

// addressesOf reads the addresses of any number of users by one query.
func (s *Service) addressesOf(ctx context.Context, userIDs []string) (map[string][]address, error) {
	list, args := database.In(nil, userIDs)
	var rows []address
	err := s.db.Read.SelectContext(ctx, &rows, `SELECT `+addressColumns+` FROM address WHERE account_id IN `+list+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read addresses of %d users: %w", len(userIDs), err)
	}
	byUser := map[string][]address{}
	for _, r := range rows {
		byUser[r.AccountID] = append(byUser[r.AccountID], r)
	}
	return byUser, nil
}
