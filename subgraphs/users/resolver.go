package users

import (
	"context"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// resolver is gen.ResolverRoot. What the directives of the schema say is checked here again: a subgraph doesn't
// rely on the router in front of it.
type resolver struct{ s *Service }

// Query resolves the fields of Query.
func (r resolver) Query() gen.QueryResolver { return query(r) }

// Mutation resolves the fields of Mutation.
func (r resolver) Mutation() gen.MutationResolver { return mutation(r) }

// User resolves the fields of User that are not in its row, or not for everyone.
func (r resolver) User() gen.UserResolver { return userFields(r) }

// Entity resolves representations.
func (r resolver) Entity() gen.EntityResolver { return entities(r) }

// SecurityEvent resolves the fields of SecurityEvent that are not in its row.
func (r resolver) SecurityEvent() gen.SecurityEventResolver { return securityEventFields(r) }

type query struct{ s *Service }

// Me is the user who asks; null for anonymous requests, for services, and for users that are no more.
func (q query) Me(ctx context.Context) (*gen.User, error) {
	return q.user(ctx, identity.From(ctx).Subject)
}

// User is any user, for those with users:read.
func (q query) User(ctx context.Context, userID string) (*gen.User, error) {
	if err := requireScope(ctx, scopeRead, "read users"); err != nil {
		return nil, err
	}
	return q.user(ctx, userID)
}

func (q query) user(ctx context.Context, userID string) (*gen.User, error) {
	if !id.Is(id.User, userID) {
		return nil, nil
	}
	found, err := q.s.accountsByID(ctx, []string{userID})
	if err != nil || found[userID] == nil {
		return nil, err
	}
	sharedIn(ctx).list(ctx, userID)
	return found[userID].user(), nil
}

// AuditLog is the audit log of all accounts, or of one, for those with users:admin.
func (q query) AuditLog(ctx context.Context, first *int, after, userID *string, types []gen.SecurityEventType) (*gen.SecurityEventConnection, error) {
	if err := requireScope(ctx, scopeAdmin, "read the audit log"); err != nil {
		return nil, err
	}
	want := auditFilter{types: types}
	if userID != nil {
		if !id.Is(id.User, *userID) {
			return nil, subgraph.Errorf(subgraph.BadInput, "%.50q is no id of a user", *userID)
		}
		want.accountID = *userID
	}
	return q.s.securityEvents(ctx, want, first, after)
}

func requireScope(ctx context.Context, scope, what string) error {
	who := identity.From(ctx)
	if who.Anonymous() {
		return errUnauthenticated
	}
	if !who.Has(scope) {
		return subgraph.Forbidden(what)
	}
	return nil
}

type userFields struct{ s *Service }

// visible reports whether what is personal about a user may be shown; anonymous requests are refused.
func (userFields) visible(ctx context.Context, userID string) (bool, error) {
	who := identity.From(ctx)
	if who.Anonymous() {
		return false, errUnauthenticated
	}
	return who.May(userID, scopeRead), nil
}

// Email is for the user and users:read.
func (f userFields) Email(ctx context.Context, u *gen.User) (*string, error) {
	if ok, err := f.visible(ctx, u.ID); !ok || err != nil {
		return nil, err
	}
	return u.Email, nil
}

// Roles are for users:read.
func (f userFields) Roles(ctx context.Context, u *gen.User) ([]gen.Role, error) {
	if err := requireScope(ctx, scopeRead, "read roles"); err != nil {
		return nil, err
	}
	return u.Roles, nil
}

// Addresses are for the user and users:read.
func (f userFields) Addresses(ctx context.Context, u *gen.User, first *int, after *string) (*gen.AddressConnection, error) {
	if ok, err := f.visible(ctx, u.ID); !ok || err != nil {
		return nil, err
	}
	return f.s.addressPage(ctx, u.ID, first, after)
}

// Sessions are for the user and users:read.
func (f userFields) Sessions(ctx context.Context, u *gen.User) ([]*gen.Session, error) {
	if ok, err := f.visible(ctx, u.ID); !ok || err != nil {
		return nil, err
	}
	rows, err := sharedIn(ctx).sessions.Get(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	list := make([]*gen.Session, len(rows))
	for i := range rows {
		list[i] = rows[i].view(identity.From(ctx).Session)
	}
	return list, nil
}

// EmailVerified is for the user and users:read.
func (f userFields) EmailVerified(ctx context.Context, u *gen.User) (*bool, error) {
	if ok, err := f.visible(ctx, u.ID); !ok || err != nil {
		return nil, err
	}
	return u.EmailVerified, nil
}

// DeletionAt is for the user and users:read.
func (f userFields) DeletionAt(ctx context.Context, u *gen.User) (*time.Time, error) {
	if ok, err := f.visible(ctx, u.ID); !ok || err != nil {
		return nil, err
	}
	return u.DeletionAt, nil
}

// SecurityEvents are for the user and users:admin.
func (f userFields) SecurityEvents(ctx context.Context, u *gen.User, first *int, after *string) (*gen.SecurityEventConnection, error) {
	who := identity.From(ctx)
	if who.Anonymous() {
		return nil, errUnauthenticated
	}
	if !who.May(u.ID, scopeAdmin) {
		return nil, nil
	}
	return f.s.securityEvents(ctx, auditFilter{accountID: u.ID}, first, after)
}

type securityEventFields struct{ s *Service }

// User is whose account an event concerns; null if that is erased. Who sees the event may see the user.
func (securityEventFields) User(ctx context.Context, e *gen.SecurityEvent) (*gen.User, error) {
	if e.User == nil {
		return nil, nil
	}
	a, err := sharedIn(ctx).accounts.Get(ctx, e.User.ID)
	if err != nil || a == nil {
		return nil, err
	}
	return a.user(), nil
}
