package databasetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/database"
)

// CountReads counts the queries that go through db.Read from now on, for tests that say how many a batch
// takes. The URL is the one that db was opened with. It must be called before db is used by others.
func CountReads(t testing.TB, db *database.DB, url string) *atomic.Int64 {
	t.Helper()
	dsn, name := url, "postgres"
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		dsn, name = "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)", "sqlite"
	}
	c := &counter{driver: db.Read.Driver(), dsn: dsn}
	counted := sqlx.NewDb(sql.OpenDB(c), name)
	before := db.Read
	db.Read = counted
	t.Cleanup(func() {
		db.Read = before
		counted.Close()
	})
	return &c.queries
}

// counter opens connections that count the queries they run.
type counter struct {
	driver  driver.Driver
	dsn     string
	queries atomic.Int64
}

// Connect opens a connection.
func (c *counter) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &countedConn{conn, &c.queries}, nil
}

// Driver is the driver underneath.
func (c *counter) Driver() driver.Driver { return c.driver }

type countedConn struct {
	driver.Conn
	queries *atomic.Int64
}

// QueryContext counts a query and runs it.
func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.queries.Add(1)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

// CheckNamedValue leaves the arguments to the driver underneath.
func (c *countedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}
