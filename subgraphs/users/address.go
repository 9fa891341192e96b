package users

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// address is a row of the table.
type address struct {
	ID          string
	AccountID   string `db:"account_id"`
	Name        string
	Line1       string
	Line2       *string
	City        string
	PostalCode  string `db:"postal_code"`
	CountryCode string `db:"country_code"`
	IsDefault   bool   `db:"is_default"`
	CreatedUs   int64  `db:"created_us"`
}

const addressColumns = `id, account_id, name, line1, line2, city, postal_code, country_code, is_default, created_us`

func (a *address) view() *gen.Address {
	return &gen.Address{
		ID: a.ID, Name: a.Name, Line1: a.Line1, Line2: a.Line2, City: a.City,
		PostalCode: a.PostalCode, CountryCode: a.CountryCode, IsDefault: a.IsDefault,
	}
}

// maxAddresses is how many addresses a user has at most.
const maxAddresses = 50

// address checks an address.
func (c *check) address(in gen.AddressInput) *address {
	a := &address{
		ID:          id.New(id.Address),
		Name:        c.line("name", in.Name, 100),
		Line1:       c.line("line1", in.Line1, 200),
		Line2:       c.optionalLine("line2", in.Line2, 200),
		City:        c.line("city", in.City, 100),
		CountryCode: c.country("countryCode", in.CountryCode),
		IsDefault:   in.IsDefault,
	}
	if slices.Contains(withoutPostalCode, a.CountryCode) && strings.TrimSpace(in.PostalCode) == "" {
		return a
	}
	a.PostalCode = c.line("postalCode", in.PostalCode, 16)
	return a
}

// createAddress adds an address. A user's first one is the default; a later one takes that over if it is to be.
func (s *Service) createAddress(ctx context.Context, in gen.AddressInput) (*address, error) {
	who, err := s.person(ctx)
	if err != nil {
		return nil, err
	}
	c := &check{}
	a := c.address(in)
	if err := c.err(); err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := lockAccount(ctx, tx, who.Subject); err != nil {
			return fmt.Errorf("lock account %s: %w", who.Subject, err)
		}
		var count int
		if err := tx.GetContext(ctx, &count, `SELECT count(*) FROM address WHERE account_id = $1`, who.Subject); err != nil {
			return fmt.Errorf("count addresses: %w", err)
		}
		if count >= maxAddresses {
			return refuse(gen.AuthErrorCodeInvalidInput, "you have %d addresses, and that is as many as there can be", count).at("input")
		}
		a.AccountID, a.IsDefault, a.CreatedUs = who.Subject, in.IsDefault || count == 0, s.micros()
		return insertAddress(ctx, tx, a)
	})
	return a, err
}

// updateAddress replaces an address of the user who asks. The default one stays that: only another takes it over.
func (s *Service) updateAddress(ctx context.Context, addressID string, in gen.AddressInput) (*address, error) {
	who, err := s.person(ctx)
	if err != nil {
		return nil, err
	}
	c := &check{}
	a := c.address(in)
	if err := c.err(); err != nil {
		return nil, err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		before, err := lockAddress(ctx, tx, who.Subject, addressID)
		if err != nil {
			return err
		}
		a.ID, a.AccountID, a.CreatedUs, a.IsDefault = before.ID, before.AccountID, before.CreatedUs, in.IsDefault || before.IsDefault
		if a.IsDefault && !before.IsDefault {
			if err := dropDefault(ctx, tx, who.Subject); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE address SET name = $1, line1 = $2, line2 = $3, city = $4, postal_code = $5, country_code = $6, is_default = $7
			WHERE id = $8`, a.Name, a.Line1, a.Line2, a.City, a.PostalCode, a.CountryCode, a.IsDefault, a.ID)
		if err != nil {
			return fmt.Errorf("update address %s: %w", a.ID, err)
		}
		return nil
	})
	return a, err
}

// deleteAddress deletes an address of the user who asks. The oldest of the others becomes the default if it was.
func (s *Service) deleteAddress(ctx context.Context, addressID string) error {
	who, err := s.person(ctx)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		a, err := lockAddress(ctx, tx, who.Subject, addressID)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM address WHERE id = $1`, a.ID); err != nil {
			return fmt.Errorf("delete address %s: %w", a.ID, err)
		}
		if !a.IsDefault {
			return nil
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE address SET is_default = TRUE WHERE id = (SELECT min(id) FROM address WHERE account_id = $1)`, who.Subject)
		if err != nil {
			return fmt.Errorf("choose default address of %s: %w", who.Subject, err)
		}
		return nil
	})
}

// lockAddress reads an address of a user, whose account it locks: which address is the default concerns all of them.
func lockAddress(ctx context.Context, tx *database.Tx, userID, addressID string) (a address, err error) {
	if _, err := lockAccount(ctx, tx, userID); err != nil {
		return a, fmt.Errorf("lock account %s: %w", userID, err)
	}
	missing := refuse(gen.AuthErrorCodeNotFound, "you have no such address").at("id")
	if !id.Is(id.Address, addressID) {
		return a, missing
	}
	err = tx.GetContext(ctx, &a, `SELECT `+addressColumns+` FROM address WHERE id = $1 AND account_id = $2`, addressID, userID)
	if database.NoRows(err) {
		return a, missing
	}
	if err != nil {
		return a, fmt.Errorf("read address %s: %w", addressID, err)
	}
	return a, nil
}

func dropDefault(ctx context.Context, tx *database.Tx, userID string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE address SET is_default = FALSE WHERE account_id = $1 AND is_default`, userID); err != nil {
		return fmt.Errorf("replace default address: %w", err)
	}
	return nil
}

func insertAddress(ctx context.Context, tx *database.Tx, a *address) error {
	if a.IsDefault {
		if err := dropDefault(ctx, tx, a.AccountID); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO address (`+addressColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		a.ID, a.AccountID, a.Name, a.Line1, a.Line2, a.City, a.PostalCode, a.CountryCode, a.IsDefault, a.CreatedUs)
	if err != nil {
		return fmt.Errorf("insert address: %w", err)
	}
	return nil
}

// addressesByID reads any number of addresses by one query; those that don't exist are missing.
func (s *Service) addressesByID(ctx context.Context, ids []string) (map[string]*address, error) {
	found := map[string]*address{}
	if ids = id.WellFormed(id.Address, ids); len(ids) == 0 {
		return found, nil
	}
	list, args := database.In(nil, ids)
	var rows []address
	if err := s.db.Read.SelectContext(ctx, &rows, `SELECT `+addressColumns+` FROM address WHERE id IN `+list, args...); err != nil {
		return nil, fmt.Errorf("read %d addresses: %w", len(ids), err)
	}
	for i := range rows {
		found[rows[i].ID] = &rows[i]
	}
	return found, nil
}
