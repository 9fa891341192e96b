package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// nameOf is what a database is called in traces and metrics: its file, or its name on the server.
func nameOf(dsn string) string {
	dsn, _, _ = strings.Cut(dsn, "?")
	if u, err := url.Parse(dsn); err == nil && u.Path != "" {
		dsn = u.Path
	}
	return strings.TrimSuffix(path.Base(dsn), ".db")
}

// conn is a connection whose statements are watched.
type conn struct {
	passing
	// name is what the database is called, and engine what it runs on.
	name, engine string
}

// watched carries out a statement.
func watched[T any](ctx context.Context, c *conn, query string, do func() (T, error)) (T, error) {
	began := time.Now()
	verb := strings.TrimSpace(query)
	if end := strings.IndexAny(verb, " \t\n"); end >= 0 {
		verb = verb[:end]
	}
	if telemetry.Traced(ctx) {
		_, span := telemetry.Start(ctx, verb+" "+c.name, telemetry.Client,
			attribute.String("db.system.name", c.engine), attribute.String("db.namespace", c.name), attribute.String("db.query.text", query))
		defer span.End()
	}
	result, err := do()
	telemetry.Stated(c.name, strings.ToLower(verb), began, err != nil && !errors.Is(err, driver.ErrSkip))
	return result, err
}

// QueryContext carries out a query.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return watched(ctx, c, query, func() (driver.Rows, error) { return c.passing.QueryContext(ctx, query, args) })
}

// ExecContext carries out what returns no rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return watched(ctx, c, query, func() (driver.Result, error) { return c.passing.ExecContext(ctx, query, args) })
}

// BeginTx begins a transaction, which takes as long as it waits for the lock.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := watched(ctx, c, "BEGIN", func() (driver.Tx, error) { return c.passing.BeginTx(ctx, opts) })
	if err != nil {
		return nil, err
	}
	return watchedTx{tx, c, ctx}, nil
}

// watchedTx is a transaction whose commit is watched.
type watchedTx struct {
	driver.Tx
	conn *conn
	// ctx is that of the transaction.
	ctx context.Context
}

// Commit commits.
func (t watchedTx) Commit() error {
	_, err := watched(t.ctx, t.conn, "COMMIT", func() (struct{}, error) { return struct{}{}, t.Tx.Commit() })
	return err
}
