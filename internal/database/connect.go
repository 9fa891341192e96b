package database

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// open is sqlx.Open with connections that keep statements prepared, as many as keep says, and are watched if somebody does.
// Statements become spans within traces only: pollers would fill them with what nobody has asked for.
func open(engine, dsn string, keep int) (*sqlx.DB, error) {
	plain, err := sql.Open(engine, dsn)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	return sqlx.NewDb(sql.OpenDB(&connector{plain.Driver(), dsn, engine, keep}), engine), nil
}

// connector makes connections.
type connector struct {
	driver      driver.Driver
	dsn, engine string
	keep        int
}

// Connect connects.
func (c *connector) Connect(context.Context) (driver.Conn, error) {
	made, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	if c.keep > 0 {
		made = newPreparing(made, c.keep, c.engine == string(SQLite))
	}
	if recording != nil && c.engine == string(SQLite) {
		made = recording(made, nameOf(c.dsn))
	}
	if telemetry.Enabled() {
		made = &conn{passing{made}, nameOf(c.dsn), c.engine}
	}
	return made, nil
}

// Driver is the engine's.
func (c *connector) Driver() driver.Driver { return c.driver }

// passing is a connection that hands on whatever it is asked for. Both engines' know it all.
type passing struct{ driver.Conn }

// QueryContext carries out a query.
func (c passing) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

// ExecContext carries out what returns no rows.
func (c passing) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

// BeginTx begins a transaction.
func (c passing) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

// PrepareContext prepares a statement.
func (c passing) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

// Ping asks the server whether it is there.
func (c passing) Ping(ctx context.Context) error { return c.Conn.(driver.Pinger).Ping(ctx) }

// ResetSession makes the connection ready for its next user.
func (c passing) ResetSession(ctx context.Context) error {
	return c.Conn.(driver.SessionResetter).ResetSession(ctx)
}

// IsValid reports whether the connection may have another user.
func (c passing) IsValid() bool { return c.Conn.(driver.Validator).IsValid() }

// CheckNamedValue converts an argument as the engine wants it.
func (c passing) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}
