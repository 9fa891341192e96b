package users

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// account is a row of the table.
type account struct {
	ID          string
	Email       string
	EmailKey    string `db:"email_key"`
	DisplayName string `db:"display_name"`
	Password    string
	Roles       string
	CreatedUs   int64 `db:"created_us"`
	// VerifiedUs is when mail to the address was known to reach the user; nil if it is not.
	VerifiedUs *int64 `db:"verified_us"`
	// EraseUs is when the account is erased; nil if its owner has not asked for that.
	EraseUs *int64 `db:"erase_us"`
}

const accountColumns = `id, email, email_key, display_name, password, roles, created_us, verified_us, erase_us`

// user is the account as GraphQL knows it. Who may see which field is for the resolvers to say.
func (a *account) user() *gen.User {
	verified := a.VerifiedUs != nil
	u := &gen.User{
		ID: a.ID, Email: &a.Email, DisplayName: a.DisplayName, Roles: splitRoles(a.Roles), CreatedAt: database.Time(a.CreatedUs),
		EmailVerified: &verified,
	}
	if a.EraseUs != nil {
		at := database.Time(*a.EraseUs)
		u.DeletionAt = &at
	}
	return u
}

func accountByID(ctx context.Context, q database.Querier, userID string) (a account, err error) {
	err = q.GetContext(ctx, &a, `SELECT `+accountColumns+` FROM account WHERE id = $1`, userID)
	return a, err
}

// lockAccount reads an account that the transaction is going to change, or whose change it must not miss.
func lockAccount(ctx context.Context, tx *database.Tx, userID string) (a account, err error) {
	err = tx.GetContext(ctx, &a, `SELECT `+accountColumns+` FROM account WHERE id = $1`+tx.Dialect.ForUpdate(), userID)
	return a, err
}

// accountByEmail returns the zero account if nobody has the address.
func (s *Service) accountByEmail(ctx context.Context, key string) (account, error) {
	var a account
	if !utf8.ValidString(key) || strings.ContainsFunc(key, breaks) {
		return a, nil // Postgres takes no NUL, not even to say that it isn't there
	}
	err := s.db.Read.GetContext(ctx, &a, `SELECT `+accountColumns+` FROM account WHERE email_key = $1`, key)
	if err != nil && !database.NoRows(err) {
		return account{}, fmt.Errorf("look up account by e-mail: %w", err)
	}
	return a, nil
}

// accountsByID reads any number of accounts by one query; those that don't exist are missing.
func (s *Service) accountsByID(ctx context.Context, ids []string) (map[string]*account, error) {
	found := map[string]*account{}
	if ids = id.WellFormed(id.User, ids); len(ids) == 0 {
		return found, nil
	}
	list, args := database.In(nil, ids)
	var rows []account
	if err := s.db.Read.SelectContext(ctx, &rows, `SELECT `+accountColumns+` FROM account WHERE id IN `+list, args...); err != nil {
		return nil, fmt.Errorf("read %d accounts: %w", len(ids), err)
	}
	for i := range rows {
		found[rows[i].ID] = &rows[i]
	}
	return found, nil
}

// insertAccount reports false if the e-mail address is taken.
func insertAccount(ctx context.Context, tx *database.Tx, a *account) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO account (id, email, email_key, display_name, password, roles, created_us, verified_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email_key) DO NOTHING`,
		a.ID, a.Email, a.EmailKey, a.DisplayName, a.Password, a.Roles, a.CreatedUs, a.VerifiedUs)
	if err != nil {
		return false, fmt.Errorf("insert account: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
