package users

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// The scopes that this service itself asks for.
const (
	scopeRead  = "users:read"
	scopeAdmin = "users:admin"
)

// roleScopes says what each role may do. What a person may do with things of their own needs no scope.
var roleScopes = map[gen.Role][]string{
	gen.RoleCustomer:         {},
	gen.RoleSupport:          {"orders:read", "payments:read", "users:read"},
	gen.RoleCatalogueManager: {"catalogue:write"},
	gen.RoleWarehouse:        {"inventory:read", "inventory:write", "orders:write"},
	gen.RoleFinance:          {"orders:read", "payments:read", "payments:refund", "payments:write"},
	gen.RoleAdmin: {
		"catalogue:write",
		"inventory:read", "inventory:write",
		"orders:read", "orders:write",
		"payments:read", "payments:refund", "payments:write",
		"users:admin", "users:read",
	},
}

// scopes are what some roles together may do, sorted.
func scopes(roles []gen.Role) []string {
	var all []string
	for _, r := range roles {
		all = append(all, roleScopes[r]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// joinRoles writes roles as they are stored.
func joinRoles(roles []gen.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

func splitRoles(stored string) []gen.Role {
	names := strings.Fields(stored)
	roles := make([]gen.Role, len(names))
	for i, n := range names {
		roles[i] = gen.Role(n)
	}
	return roles
}

// setRoles gives a user these roles and no others. New access tokens have them; those that are out keep their
// scopes until they expire.
func (s *Service) setRoles(ctx context.Context, userID string, roles []gen.Role) (account, error) {
	who, err := s.mayAdministrate(ctx, "set roles")
	if err != nil {
		return account{}, err
	}
	if n := len(roles); n == 0 || n > len(gen.AllRole) {
		return account{}, refuse(gen.AuthErrorCodeInvalidInput, "a user has 1 to %d roles, not %d", len(gen.AllRole), n).at("roles")
	}
	if who.Subject == userID && !slices.Contains(roles, gen.RoleAdmin) {
		return account{}, refuse(gen.AuthErrorCodeInvalidInput, "you can't take the role ADMIN from yourself: ask another administrator").at("roles")
	}
	var a account
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		found, err := lockAccount(ctx, tx, userID)
		if database.NoRows(err) {
			return refuse(gen.AuthErrorCodeInvalidInput, "there is no user %.50q", userID).at("userId")
		}
		if err != nil {
			return err
		}
		a = found
		before := a.Roles
		if a.Roles = joinRoles(roles); a.Roles == before {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET roles = $1 WHERE id = $2`, a.Roles, a.ID); err != nil {
			return fmt.Errorf("set roles of %s: %w", a.ID, err)
		}
		if err := s.audit(ctx, tx, gen.SecurityEventTypeRolesChanged, a.ID, before+" → "+a.Roles); err != nil {
			return err
		}
		return s.outbox.Append(ctx, tx, event.New(eventRolesChanged, a.ID, rolesChanged{
			UserID: a.ID, Roles: splitRoles(a.Roles), Before: splitRoles(before), By: who.Actor(),
		}))
	})
	s.outbox.Wake()
	return a, err
}

// mayAdministrate checks the scope, and for people also that their roles still give it: a token of an
// administrator who has been dismissed must not make them one again.
func (s *Service) mayAdministrate(ctx context.Context, what string) (identity.Identity, error) {
	who := identity.From(ctx)
	if who.Anonymous() {
		return who, errUnauthenticated
	}
	if !who.Has(scopeAdmin) {
		return who, subgraph.Forbidden(what)
	}
	if who.Service != "" {
		return who, nil
	}
	if err := s.requireSession(ctx, who); err != nil {
		return who, err
	}
	a, err := accountByID(ctx, s.db.Read, who.Subject)
	if err != nil {
		return who, fmt.Errorf("roles of %s: %w", who.Subject, err)
	}
	if !slices.Contains(scopes(splitRoles(a.Roles)), scopeAdmin) {
		return who, subgraph.Forbidden(what)
	}
	return who, nil
}
