package database

import (
	"fmt"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Connect connects to the database at a URL, as Open does, and leaves its schema as it is: for programs that look after
// a database which a service has opened before.
func Connect(rawURL string) (*DB, error) {
	rawURL, settings, err := split(rawURL)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", redact(rawURL), err)
	}
	if path, ok := strings.CutPrefix(rawURL, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	db, err := connect(rawURL, settings)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", redact(rawURL), err)
	}
	return db, nil
}

// View connects to the database at a URL, as Open does, only to read it: it has to be there, its schema stays as it is,
// and Tx is refused by the engine. Others may be writing to it meanwhile.
func View(rawURL string) (*DB, error) {
	rawURL, settings, err := split(rawURL)
	if err != nil {
		return nil, fmt.Errorf("view database %s: %w", redact(rawURL), err)
	}
	db, err := view(rawURL, settings)
	if err != nil {
		return nil, fmt.Errorf("view database %s: %w", redact(rawURL), err)
	}
	return db, nil
}

func view(rawURL string, settings Settings) (*DB, error) {
	path, ok := strings.CutPrefix(rawURL, "sqlite:")
	if !ok {
		u, err := url.Parse(rawURL)
		if err != nil {
			return nil, err
		}
		query := u.Query()
		query.Set("default_transaction_read_only", "on")
		u.RawQuery = query.Encode()
		return connect(u.String(), settings)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	// Not mode=ro: what a process that was killed has left in the log is read as well.
	pool, err := sqlx.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(10000)&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(runtime.NumCPU())
	return &DB{Read: pool, write: pool, Dialect: SQLite}, nil
}
