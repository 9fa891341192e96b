// Package database opens a service's own database: a SQLite file (modernc.org/sqlite) in one process, a
// Postgres database (lib/pq) in production, the same sqlx code on both.
//
// SQL is written once, in the subset that both engines read alike: placeholders $1, $2, … in order of
// appearance, RETURNING, ON CONFLICT, CHECK, row values for keysets; comparable times as BIGINT microseconds
// (Micros), ids as TEXT, money as BIGINT, JSON as opaque TEXT, booleans as TRUE and FALSE. What differs is in
// Dialect. Writes go through Tx: SQLite has one writer, whose transactions take the lock at once, so that a
// transaction never fails halfway because another one wrote; Postgres runs them as read committed, with rows
// locked by Dialect.ForUpdate, and repeats those that the server ends with a serialisation error or a deadlock.
//
// In production each service has a database of its own, which belongs to a role of its own that nobody else knows the
// password of; it may not even connect to the others:
//
//	CREATE ROLE shop_orders LOGIN PASSWORD '…' CONNECTION LIMIT 40;
//	CREATE DATABASE shop_orders OWNER shop_orders;
//	REVOKE CONNECT ON DATABASE shop_orders FROM PUBLIC;
package database

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/agora-supergraph/agora/internal/fault"
)

func init() { sqlx.BindDriver("sqlite", sqlx.DOLLAR) }

// DB is a service's database. It is safe for concurrent use.
type DB struct {
	// Read runs queries outside of transactions: many at a time, each seeing what is committed.
	Read *sqlx.DB
	// Dialect is what the engine writes in its own way.
	Dialect Dialect
	// Committed is called behind the commit of a transaction with what was noted in it, if anything, before Tx returns; also
	// if it isn't known whether the commit took place. Nil for nothing. It must be set before db is used.
	Committed func(ctx context.Context, notes []any)

	write *sqlx.DB
	// line is where SQLite's transactions wait. Nil for Postgres.
	line *line
}

// Tx is a transaction that may write.
type Tx struct {
	*sqlx.Tx
	// Dialect is that of the database.
	Dialect Dialect

	notes []any
}

// Note keeps something for DB.Committed: what has to be done once the change is there for others.
func (tx *Tx) Note(note any) { tx.notes = append(tx.notes, note) }

// Querier is what DB.Read and a Tx have in common.
type Querier interface {
	sqlx.QueryerContext
	GetContext(ctx context.Context, dest any, query string, args ...any) error
	SelectContext(ctx context.Context, dest any, query string, args ...any) error
}

// Open connects to the database at a URL and brings its schema up to date: "sqlite:PATH", a file that is created
// if needed together with its folder, or "postgres://…", with the parameters in Settings. Migrations are read from all
// the folders given: those for both engines at the top of a folder, those for one engine in its sub-folder named sqlite
// or postgres. Versions below 100 belong to the packages in internal/, a service's own begin at 100.
func Open(ctx context.Context, rawURL string, migrations ...fs.FS) (*DB, error) {
	rawURL, settings, err := split(rawURL)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", redact(rawURL), err)
	}
	db, err := connect(rawURL, settings)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", redact(rawURL), err)
	}
	if err := db.refuseForeign(ctx, settings.Owner); err != nil {
		db.Close()
		return nil, fmt.Errorf("open database %s: %w", redact(rawURL), err)
	}
	if err := migrate(ctx, db, append(migrations, ownMigrations())); err != nil {
		db.Close()
		return nil, fmt.Errorf("migrate database %s: %w", redact(rawURL), err)
	}
	if err := db.own(ctx, settings.Owner); err != nil {
		db.Close()
		return nil, fmt.Errorf("open database %s: %w", redact(rawURL), err)
	}
	return db, nil
}

func connect(rawURL string, settings Settings) (*DB, error) {
	if path, ok := strings.CutPrefix(rawURL, "sqlite:"); ok {
		return connectSQLite(path)
	}
	if strings.HasPrefix(rawURL, "postgres://") || strings.HasPrefix(rawURL, "postgresql://") {
		return connectPostgres(rawURL, settings)
	}
	return nil, errors.New("want sqlite:PATH or postgres://…")
}

func connectSQLite(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	// A commit is on the disk before it is acknowledged (FULL); a writer takes its lock when it begins.
	const pragmas = "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_txlock=immediate"
	write, err := open("sqlite", "file:"+path+"?"+pragmas, preparedStatements)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := write.Ping(); err != nil {
		write.Close()
		return nil, err
	}
	read, err := open("sqlite", "file:"+path+"?"+pragmas+"&_pragma=query_only(1)", preparedStatements)
	if err != nil {
		write.Close()
		return nil, err
	}
	readers := max(4, runtime.NumCPU())
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &DB{Read: read, write: write, line: newLine(write), Dialect: SQLite}, nil
}

func connectPostgres(rawURL string, settings Settings) (*DB, error) {
	pool, err := open("postgres", rawURL, settings.Statements)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(settings.MaxConns)
	pool.SetMaxIdleConns(settings.MaxConns)
	pool.SetConnMaxIdleTime(settings.MaxConnIdleTime)
	pool.SetConnMaxLifetime(settings.MaxConnLifetime)
	if err := pool.Ping(); err != nil {
		pool.Close()
		return nil, err
	}
	return &DB{Read: pool, write: pool, Dialect: Postgres}, nil
}

// Close closes all connections.
func (db *DB) Close() error {
	err := db.Read.Close()
	if db.write != db.Read {
		err = errors.Join(err, db.write.Close())
	}
	return err
}

// Tx runs fn in a transaction and commits it, unless fn returns an error or panics. fn may run more than
// once, when the engine asks to repeat the transaction, or when its connection was lost before the commit: it must have
// no effect but through tx. Whether a commit whose connection was lost took place is not known: that is an error.
func (db *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	return repeat(ctx, func() (committing bool, err error) { return db.once(ctx, fn) })
}

// Exec is Tx for one statement that may be carried out twice, which it is where nobody knows whether it was: on Postgres it is
// its own transaction, without ways to the server for its beginning and its end.
func (db *DB) Exec(ctx context.Context, query string, args ...any) error {
	return db.single(ctx, func(q sqlx.ExtContext) error {
		_, err := q.ExecContext(ctx, query, args...)
		return err
	})
}

// Returning is Exec for a statement that writes and returns rows: they are put into dest, a pointer to a slice.
func (db *DB) Returning(ctx context.Context, dest any, query string, args ...any) error {
	rows := reflect.ValueOf(dest).Elem()
	return db.single(ctx, func(q sqlx.ExtContext) error {
		rows.SetZero()
		return sqlx.SelectContext(ctx, q, dest, query, args...)
	})
}

func (db *DB) single(ctx context.Context, statement func(q sqlx.ExtContext) error) error {
	if db.line != nil {
		return db.Tx(ctx, func(tx *Tx) error { return statement(tx) })
	}
	return repeat(ctx, func() (committing bool, err error) {
		if err := fault.Point("database.committing"); err != nil {
			return false, err
		}
		return false, cmp.Or(statement(db.write), fault.Point("database.committed"))
	})
}

// repeat carries out a transaction, and again while that may help. once reports with an error whether it came of the commit.
func repeat(ctx context.Context, once func() (committing bool, err error)) error {
	began := time.Now()
	for attempt := 1; ; attempt++ {
		committing, err := once()
		again := repeatable(err) && attempt < maxAttempts || lost(err) && !committing && time.Since(began) < patience
		if err == nil || !again {
			return err
		}
		select {
		case <-time.After(min(time.Duration(attempt*attempt)*5*time.Millisecond, maxPause)):
		case <-ctx.Done():
			return err
		}
	}
}

// maxAttempts bounds how often a transaction is repeated that others get in the way of; patience for how long one is
// that finds no server; maxPause the time between.
const (
	maxAttempts = 8
	patience    = 5 * time.Second
	maxPause    = 320 * time.Millisecond
)

// once reports with an error whether it came of the commit.
func (db *DB) once(ctx context.Context, fn func(tx *Tx) error) (committing bool, err error) {
	var own *Tx
	carryOut := db.alone
	if db.line != nil {
		carryOut = db.line.once
	}
	committing, err = carryOut(ctx, func(tx *sqlx.Tx) error {
		own = &Tx{Tx: tx, Dialect: db.Dialect}
		return fn(own)
	})
	if err != nil && !committing {
		return false, err
	}
	if err == nil {
		err = fault.Point("database.committed") // as if the connection were lost behind the commit
	}
	if db.Committed != nil && len(own.notes) > 0 {
		db.Committed(ctx, own.notes)
	}
	if err != nil {
		return true, fmt.Errorf("commit: %w", err)
	}
	return false, nil
}

// alone runs a transaction that has a connection to itself.
func (db *DB) alone(ctx context.Context, fn func(tx *sqlx.Tx) error) (committing bool, err error) {
	tx, err := db.write.BeginTxx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // does nothing after a commit; runs also when fn panics
	if err := fn(tx); err != nil {
		return false, err
	}
	if err := fault.Point("database.committing"); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// repeatable reports whether the engine ended a transaction for a reason that repeating it cures.
func repeatable(err error) bool {
	if errors.Is(err, errUndone) {
		return true
	}
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code == "40001" || p.Code == "40P01" || stale(err) // serialisation failure, deadlock
	}
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code()&0xff == sqlite3.SQLITE_BUSY
}

// lost reports whether the connection to the server is gone, or there was none: the server is being restarted, or has
// all the connections that it can take.
func lost(err error) bool {
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code.Class() == "08" || p.Code.Class() == "57" && p.Code != "57014" || p.Code == "53300"
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// IsUnique reports whether err says that a row with the same unique key exists.
func IsUnique(err error) bool {
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code == "23505"
	}
	var s *sqlite.Error
	return errors.As(err, &s) && (s.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || s.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// IsReference reports whether err says that a row refers to one that is not there, or is referred to and can't go.
func IsReference(err error) bool {
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code == "23503"
	}
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// redact hides the password of a URL.
func redact(rawURL string) string {
	if u, err := url.Parse(rawURL); err == nil && u.User != nil {
		return u.Redacted()
	}
	return rawURL
}
