package users

import (
	"context"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// entities resolves a batch of representations by one query, in the order of the batch; null for those that
// don't exist, and for those that who asks may not see: the answers are alike.
type entities struct{ s *Service }

// FindUser resolves users. What is personal about them is behind the resolvers of its fields.
func (e entities) FindUser(ctx context.Context, reps []*gen.UserRepresentation) ([]*gen.User, error) {
	ids := make([]string, len(reps))
	for i, r := range reps {
		ids[i] = *r.ID
	}
	found, err := e.s.accountsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	users := make([]*gen.User, len(reps))
	for i, userID := range ids {
		if a := found[userID]; a != nil {
			users[i] = a.user()
			sharedIn(ctx).list(ctx, userID)
		}
	}
	return users, nil
}

// FindAddress resolves addresses, for their owner, for services and for users:read.
func (e entities) FindAddress(ctx context.Context, reps []*gen.AddressRepresentation) ([]*gen.Address, error) {
	ids := make([]string, len(reps))
	for i, r := range reps {
		ids[i] = *r.ID
	}
	found, err := e.s.addressesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	addresses := make([]*gen.Address, len(reps))
	for i, addressID := range ids {
		if a := found[addressID]; a != nil && (who.Service != "" || who.May(a.AccountID, scopeRead)) {
			addresses[i] = a.view()
		}
	}
	return addresses, nil
}
