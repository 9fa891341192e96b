package database

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/lib/pq"
)

// preparedStatements is how many a connection keeps: more than a service has texts that it runs all the time, and few
// enough for a server with some hundred connections, which keeps the plan of each.
const preparedStatements = 128

// planned is the key of PlanEachTime.
type planned struct{}

// PlanEachTime is a context whose statements are planned for the very values they come with. It is for those where a plan
// that suits one value is a bad one for another, as in a search for a rare word and for a common one.
func PlanEachTime(ctx context.Context) context.Context {
	return context.WithValue(ctx, planned{}, true)
}

// preparing is a connection that keeps statements prepared, those that come a second time: an engine spends more on the
// text of a short statement, and on its plan, than on carrying it out, and lib/pq a second round trip. A text that comes
// once pushes out none that is prepared.
type preparing struct {
	passing
	// statements are by text; seen are texts that have come once.
	statements *simplelru.LRU[string, *statement]
	seen       *simplelru.LRU[string, struct{}]
	// local is set where statements are to be closed before their connection. A server forgets them with it.
	local bool
	inTx  bool
	// doubtful is set once a statement was cut off by its context: the server may be told so when the next one runs.
	doubtful bool
}

func newPreparing(inner driver.Conn, keep int, local bool) *preparing {
	c := &preparing{passing: passing{inner}, local: local}
	c.statements, _ = simplelru.NewLRU(keep, func(_ string, s *statement) { s.forget() }) // only a size of 0 is an error
	c.seen, _ = simplelru.NewLRU[string, struct{}](keep, nil)
	return c
}

// statement is one that the engine has prepared.
type statement struct {
	driver.Stmt
	// busy while its rows are read, and forgotten if it is to be closed behind them.
	busy, forgotten bool
}

// forget closes the statement. If it can't be closed, the connection is broken, and says so to its next user.
func (s *statement) forget() {
	if s.forgotten = s.busy; !s.busy {
		_ = s.Close()
	}
}

// prepared is the statement of a text, or nil if it is to be carried out as it is.
func (c *preparing) prepared(ctx context.Context, query string, args []driver.NamedValue) (*statement, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // lib/pq would tell the server to end it, before the server has begun
	}
	if len(args) == 0 || ctx.Value(planned{}) != nil { // without arguments there may be several statements in a text
		return nil, nil //nolint:nilnil // there is none
	}
	if s, ok := c.statements.Get(query); ok {
		if s.busy {
			return nil, nil //nolint:nilnil // it has one reader at a time
		}
		return s, nil
	}
	if !c.seen.Remove(query) {
		c.seen.Add(query, struct{}{})
		return nil, nil //nolint:nilnil // there is none yet
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: made}
	c.statements.Add(query, s)
	return s, nil
}

// stale reports whether a prepared statement no longer goes with the tables, or the server has lost it.
func stale(err error) bool {
	var p *pq.Error
	return errors.As(err, &p) && (p.Code == "0A000" || p.Code == "26000")
}

// doubt keeps a connection from its next user if a statement was cut off. Not SQLite's: there, nothing comes late.
func (c *preparing) doubt(ctx context.Context) {
	c.doubtful = c.doubtful || !c.local && ctx.Err() != nil
}

// again reports whether a statement that has failed can be carried out anew, as it is: within a transaction it can't, which
// DB.Tx repeats. Where one is stale, others are.
func (c *preparing) again(err error) bool {
	if !stale(err) {
		return false
	}
	c.statements.Purge()
	return !c.inTx
}

// within is the context of a statement: within a transaction the transaction's cuts it off, and lib/pq need not watch another
// one, for which it starts a goroutine.
func (c *preparing) within(ctx context.Context) context.Context {
	if c.inTx && !c.local {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// QueryContext carries out a query.
func (c *preparing) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.passing.QueryContext(ctx, query, args)
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(c.within(ctx), args)
	if err != nil {
		c.doubt(ctx)
		if c.again(err) {
			return c.passing.QueryContext(ctx, query, args)
		}
		return nil, err
	}
	s.busy = true
	return &preparedRows{rows, s, c, ctx}, nil
}

// ExecContext carries out what returns no rows.
func (c *preparing) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.passing.ExecContext(ctx, query, args)
	}
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(c.within(ctx), args)
	c.doubt(ctx)
	if err != nil && c.again(err) {
		return c.passing.ExecContext(ctx, query, args)
	}
	return result, err
}

// BeginTx begins a transaction.
func (c *preparing) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.passing.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.inTx = true
	return preparingTx{tx, c}, nil
}

// preparingTx tells its connection when it ends.
type preparingTx struct {
	driver.Tx
	conn *preparing
}

// Commit commits.
func (t preparingTx) Commit() error {
	t.conn.inTx = false
	return t.Tx.Commit()
}

// Rollback rolls back.
func (t preparingTx) Rollback() error {
	t.conn.inTx = false
	return t.Tx.Rollback()
}

// preparedRows are those of a statement, which can be carried out again behind them.
type preparedRows struct {
	driver.Rows
	of   *statement
	conn *preparing
	ctx  context.Context
}

// Close ends the reading.
func (r *preparedRows) Close() error {
	err := r.Rows.Close()
	r.conn.doubt(r.ctx)
	if r.of.busy = false; r.of.forgotten {
		r.of.forgotten = false
		return errors.Join(err, r.of.Stmt.Close())
	}
	return err
}

// IsValid reports whether the connection may have another user.
func (c *preparing) IsValid() bool { return !c.doubtful && c.passing.IsValid() }

// Close closes the connection with its statements.
func (c *preparing) Close() error {
	if c.local {
		c.statements.Purge()
	}
	return c.passing.Close()
}
