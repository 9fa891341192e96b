package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"go.opentelemetry.io/otel/attribute"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// open is sqlx.Open, with a driver in between if somebody watches. Statements become spans within traces only: pollers
// would fill them with what nobody has asked for.
func open(engine, dsn string) (*sqlx.DB, error) {
	if !telemetry.Enabled() {
		return sqlx.Open(engine, dsn)
	}
	plain, err := sql.Open(engine, dsn)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return sqlx.NewDb(sql.OpenDB(&connector{plain.Driver(), dsn, nameOf(dsn), engine}), engine), nil
}

// nameOf is what a database is called in traces and metrics: its file, or its name on the server.
func nameOf(dsn string) string {
	dsn, _, _ = strings.Cut(dsn, "?")
	if u, err := url.Parse(dsn); err == nil && u.Path != "" {
		dsn = u.Path
	}
	return strings.TrimSuffix(path.Base(dsn), ".db")
}

// connector makes connections that are watched.
type connector struct {
	driver       driver.Driver
	dsn          string
	name, engine string
}

// Connect connects.
func (c *connector) Connect(context.Context) (driver.Conn, error) {
	inner, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &conn{inner, c}, nil
}

// Driver is the engine's.
func (c *connector) Driver() driver.Driver { return c.driver }

// conn is a connection whose statements are watched. Whatever else it is asked for it hands on.
type conn struct {
	driver.Conn
	of *connector
}

// watched carries out a statement.
func watched[T any](ctx context.Context, c *conn, query string, do func() (T, error)) (T, error) {
	began := time.Now()
	verb := strings.TrimSpace(query)
	if end := strings.IndexAny(verb, " \t\n"); end >= 0 {
		verb = verb[:end]
	}
	if telemetry.Traced(ctx) {
		_, span := telemetry.Start(ctx, verb+" "+c.of.name, telemetry.Client,
			attribute.String("db.system.name", c.of.engine), attribute.String("db.namespace", c.of.name), attribute.String("db.query.text", query))
		defer span.End()
	}
	result, err := do()
	telemetry.Stated(c.of.name, strings.ToLower(verb), began, err != nil && !errors.Is(err, driver.ErrSkip))
	return result, err
}

// QueryContext carries out a query.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	inner, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return watched(ctx, c, query, func() (driver.Rows, error) { return inner.QueryContext(ctx, query, args) })
}

// ExecContext carries out what returns no rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	inner, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	return watched(ctx, c, query, func() (driver.Result, error) { return inner.ExecContext(ctx, query, args) })
}

// BeginTx begins a transaction, which takes as long as it waits for the lock.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	inner, ok := c.Conn.(driver.ConnBeginTx)
	if !ok {
		//lint:ignore SA1019 what is left for a driver without contexts
		return c.Conn.Begin()
	}
	tx, err := watched(ctx, c, "BEGIN", func() (driver.Tx, error) { return inner.BeginTx(ctx, opts) })
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

// PrepareContext prepares a statement, which is not watched.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if inner, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return inner.PrepareContext(ctx, query)
	}
	return c.Conn.Prepare(query)
}

// Ping asks the server whether it is there.
func (c *conn) Ping(ctx context.Context) error {
	if inner, ok := c.Conn.(driver.Pinger); ok {
		return inner.Ping(ctx)
	}
	return nil
}

// ResetSession makes the connection ready for its next user.
func (c *conn) ResetSession(ctx context.Context) error {
	if inner, ok := c.Conn.(driver.SessionResetter); ok {
		return inner.ResetSession(ctx)
	}
	return nil
}

// IsValid reports whether the connection may have another user.
func (c *conn) IsValid() bool {
	inner, ok := c.Conn.(driver.Validator)
	return !ok || inner.IsValid()
}

// CheckNamedValue converts an argument as the engine wants it.
func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	if inner, ok := c.Conn.(driver.NamedValueChecker); ok {
		return inner.CheckNamedValue(value)
	}
	return driver.ErrSkip
}
