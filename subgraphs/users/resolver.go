package users

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

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
	return found[userID].user(), nil
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
	return f.s.addresses(ctx, u.ID, first, after)
}

// Sessions are for the user and users:read.
func (f userFields) Sessions(ctx context.Context, u *gen.User) ([]*gen.Session, error) {
	if ok, err := f.visible(ctx, u.ID); !ok || err != nil {
		return nil, err
	}
	return f.s.sessions(ctx, u.ID, identity.From(ctx).Session)
}

type mutation struct{ s *Service }

// Register creates an account.
func (m mutation) Register(ctx context.Context, input gen.RegisterInput) (*gen.RegisterPayload, error) {
	a, err := m.s.register(ctx, input)
	refused, err := userErrors(err)
	return &gen.RegisterPayload{User: known(a), UserErrors: refused}, err
}

// Login begins a session.
func (m mutation) Login(ctx context.Context, input gen.LoginInput) (*gen.LoginPayload, error) {
	a, tokens, err := m.s.login(ctx, input, graphql.GetOperationContext(ctx).Headers.Get("User-Agent"))
	refused, err := userErrors(err)
	return &gen.LoginPayload{User: known(a), Tokens: tokens, UserErrors: refused}, err
}

// RefreshSession exchanges a refresh token.
func (m mutation) RefreshSession(ctx context.Context, input gen.RefreshSessionInput) (*gen.LoginPayload, error) {
	a, tokens, err := m.s.refresh(ctx, input.RefreshToken)
	refused, err := userErrors(err)
	return &gen.LoginPayload{User: known(a), Tokens: tokens, UserErrors: refused}, err
}

// Logout ends sessions.
func (m mutation) Logout(ctx context.Context, everywhere bool) (*gen.LogoutPayload, error) {
	revoked, err := m.s.logout(ctx, everywhere)
	refused, err := userErrors(err)
	return &gen.LogoutPayload{RevokedSessions: revoked, UserErrors: refused}, err
}

// AddressCreate adds an address.
func (m mutation) AddressCreate(ctx context.Context, input gen.AddressInput) (*gen.AddressPayload, error) {
	a, err := m.s.createAddress(ctx, input)
	refused, other := userErrors(err)
	payload := &gen.AddressPayload{UserErrors: refused}
	if err == nil {
		payload.Address = a.view()
	}
	return payload, other
}

// PasswordChange sets another password.
func (m mutation) PasswordChange(ctx context.Context, input gen.PasswordChangeInput) (*gen.PasswordChangePayload, error) {
	a, err := m.s.changePassword(ctx, input)
	refused, other := userErrors(err)
	payload := &gen.PasswordChangePayload{UserErrors: refused}
	if err == nil {
		payload.User = a.user()
	}
	return payload, other
}

// UserRolesSet gives a user these roles and no others.
func (m mutation) UserRolesSet(ctx context.Context, userID string, roles []gen.Role) (*gen.UserRolesSetPayload, error) {
	a, err := m.s.setRoles(ctx, userID, roles)
	refused, err := userErrors(err)
	if err != nil {
		return nil, fmt.Errorf("set roles of %s: %w", userID, err)
	}
	return &gen.UserRolesSetPayload{User: known(a), UserErrors: refused}, nil
}

// known is the user of an account, or nil for the zero account that goes with a refusal.
func known(a account) *gen.User {
	if a.ID == "" {
		return nil
	}
	return a.user()
}
