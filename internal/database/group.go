package database

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/fault"
)

// The most that is committed together: what came first waits for what comes last, and SQLite remembers what each has
// overwritten.
const (
	groupSize = 64
	groupTime = 20 * time.Millisecond
)

// errUndone is what became of transactions that the engine undid together with another one.
var errUndone = errors.New("undone with another transaction")

// line is where transactions wait for SQLite's one writer. Those that wait for one to end are carried out behind it, one after
// the other, and committed with it: they share its way to the disk, which takes longer than most of them. Each is undone alone
// if it fails, and none is acknowledged before all are on the disk. Postgres does the same in its own log (commit_delay).
type line struct {
	pool *sqlx.DB
	// turn holds a token while somebody has a turn; waiting is how many want the next one.
	turn    chan struct{}
	waiting atomic.Int32
	// open is what was carried out and is not committed. It belongs to who has the turn.
	open *group
}

func newLine(pool *sqlx.DB) *line { return &line{pool: pool, turn: make(chan struct{}, 1)} }

// group is one transaction of the engine.
type group struct {
	tx      *sqlx.Tx
	begun   time.Time
	members int
	// err is what became of it, once done is closed.
	done chan struct{}
	err  error
}

func (g *group) end(err error) {
	g.err = err
	close(g.done)
}

// once carries fn out and returns when it is committed. It reports with an error whether that came of the commit.
func (l *line) once(ctx context.Context, fn func(tx *sqlx.Tx) error) (committing bool, err error) {
	if err := l.take(ctx); err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	g, err := l.carryOut(ctx, fn)
	if err != nil {
		return false, err
	}
	<-g.done
	if errors.Is(g.err, errUndone) {
		return false, g.err
	}
	return true, g.err
}

// take waits for a turn.
func (l *line) take(ctx context.Context) error {
	l.waiting.Add(1)
	select {
	case l.turn <- struct{}{}:
		l.waiting.Add(-1)
		return nil
	case <-ctx.Done():
		go func() { // who had the turn may have left the commit to this one
			l.turn <- struct{}{}
			l.waiting.Add(-1)
			l.leave()
		}()
		return ctx.Err()
	}
}

// leave ends a turn. It commits, unless somebody waits to come along.
func (l *line) leave() {
	if g := l.open; g != nil && (l.waiting.Load() == 0 || g.members >= groupSize || time.Since(g.begun) > groupTime) {
		l.open = nil
		g.end(g.tx.Commit())
	}
	<-l.turn
}

// carryOut makes what fn does part of the open group, or of a new one, or undoes it if it fails.
func (l *line) carryOut(ctx context.Context, fn func(tx *sqlx.Tx) error) (_ *group, err error) {
	defer l.leave()
	g := l.open
	if g == nil {
		g = &group{begun: time.Now(), done: make(chan struct{})}
		if g.tx, err = l.pool.BeginTxx(context.WithoutCancel(ctx), nil); err != nil {
			return nil, fmt.Errorf("begin: %w", err)
		}
		l.open = g
	} else if _, err := g.tx.Exec(`SAVEPOINT member`); err != nil {
		l.abandon(g)
		return nil, fmt.Errorf("begin: %w", err)
	}
	whole := false
	defer func() { // runs also when fn panics
		if !whole {
			l.undo(g)
		}
	}()
	if err := fn(g.tx); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := fault.Point("database.committing"); err != nil {
		return nil, err
	}
	if g.members > 0 {
		if _, err := g.tx.Exec(`RELEASE member`); err != nil {
			return nil, err
		}
	}
	g.members++
	whole = true
	return g, nil
}

// undo undoes what the last one has done. Some errors undo everything: a full disk, or a statement that was cut off
// (https://www.sqlite.org/lang_transaction.html).
func (l *line) undo(g *group) {
	if g.members == 0 {
		l.abandon(g)
	} else if _, err := g.tx.Exec(`ROLLBACK TO member; RELEASE member`); err != nil {
		l.abandon(g)
	}
}

// abandon undoes a group. Its members are carried out anew.
func (l *line) abandon(g *group) {
	l.open = nil
	_ = g.tx.Rollback() // an error says that there is nothing left to undo
	g.end(errUndone)
}
