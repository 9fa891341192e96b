package database

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// Settings are the parameters of a database's URL that this package reads. What else a postgres:// URL has is read by
// the driver (connect_timeout, sslmode and so on) or set in each session by the server: statement_timeout,
// lock_timeout, idle_in_transaction_session_timeout.
type Settings struct {
	// MaxConns is pool_max_conns: how many connections to Postgres there may be at a time. 8 by default, which leaves
	// room for six services with a replica each beside the 100 connections that a server has by default.
	MaxConns int
	// MaxConnIdleTime is pool_max_conn_idle_time: how long an unused connection is kept. 5 minutes by default.
	MaxConnIdleTime time.Duration
	// MaxConnLifetime is pool_max_conn_lifetime: how long any connection is kept. 0, the default, is for ever.
	MaxConnLifetime time.Duration
	// Statements is pool_statements: how many statements each connection keeps prepared. 128 by default; 0, for a pooler
	// that hands every transaction to another connection and does not know of prepared statements.
	Statements int
	// Owner is owner: whose database it is, such as shop/orders. The first one to open a database with an owner is its
	// owner for good; others are refused. Empty, the default, opens anybody's.
	Owner string
}

// WithSettings is a URL with parameters added, those that it has already staying as they are.
func WithSettings(rawURL string, parameters map[string]string) string {
	path, query, _ := strings.Cut(rawURL, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return rawURL // Open says what is wrong with it
	}
	for name, value := range parameters {
		if value != "" && !values.Has(name) {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// split takes the settings out of a URL.
func split(rawURL string) (string, Settings, error) {
	s := Settings{MaxConns: 8, Statements: preparedStatements, MaxConnIdleTime: 5 * time.Minute}
	path, query, found := strings.Cut(rawURL, "?")
	if !found {
		return rawURL, s, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return rawURL, s, fmt.Errorf("parameters: %w", err)
	}
	var errs []error
	take := func(name string, set func(value string) error) {
		if values.Has(name) {
			if err := set(values.Get(name)); err != nil {
				errs = append(errs, fmt.Errorf("parameter %s: %w", name, err))
			}
			values.Del(name)
		}
	}
	take("pool_max_conns", func(value string) (err error) {
		if s.MaxConns, err = strconv.Atoi(value); err == nil && (s.MaxConns < 2 || s.MaxConns > 1000) {
			err = fmt.Errorf("found %s, expected a number from 2 to 1000", value) // a migration takes two
		}
		return err
	})
	take("pool_max_conn_idle_time", func(value string) (err error) { s.MaxConnIdleTime, err = time.ParseDuration(value); return err })
	take("pool_max_conn_lifetime", func(value string) (err error) { s.MaxConnLifetime, err = time.ParseDuration(value); return err })
	take("pool_statements", func(value string) (err error) {
		if s.Statements, err = strconv.Atoi(value); err == nil && (s.Statements < 0 || s.Statements > 10_000) {
			err = fmt.Errorf("found %s, expected a number from 0 to 10000", value)
		}
		return err
	})
	take("owner", func(value string) error { s.Owner = value; return nil })
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	return path, s, errors.Join(errs...)
}

//go:embed migrations
var migrations embed.FS

// ownMigrations are this package's own tables.
func ownMigrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err)
	}
	return sub
}

// owner is whose database it is, "" if it is nobody's yet.
func (db *DB) owner(ctx context.Context) (string, error) {
	var name string
	err := db.write.GetContext(ctx, &name, `SELECT name FROM owner`)
	var p *pq.Error
	if NoRows(err) || (errors.As(err, &p) && p.Code == "42P01") || (err != nil && strings.Contains(err.Error(), "no such table")) {
		return "", nil
	}
	return name, err
}

// refuseForeign returns an error for a database that is somebody else's, before anything is done to it.
func (db *DB) refuseForeign(ctx context.Context, owner string) error {
	is, err := db.owner(ctx)
	if err == nil && is != "" && owner != "" && is != owner {
		return fmt.Errorf("it belongs to %s, and this is %s", is, owner)
	}
	return err
}

// own makes a database that is nobody's the owner's. Of two that try at the same time one is refused.
func (db *DB) own(ctx context.Context, owner string) error {
	if owner == "" {
		return nil
	}
	err := db.Tx(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO owner (one, name) VALUES (1, $1) ON CONFLICT DO NOTHING`, owner)
		return err
	})
	if err != nil {
		return err
	}
	return db.refuseForeign(ctx, owner)
}
