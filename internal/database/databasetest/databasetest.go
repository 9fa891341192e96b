// Package databasetest gives tests databases of their own, on both engines: a test says what must hold, and runs
// once on a new SQLite file and once on a new Postgres database, which is dropped when the test ends. Tests share
// nothing, so they may run in parallel. Postgres commits without waiting for the disk here, so these databases
// are not for measuring.
//
// The Postgres server is the one that AGORA_TEST_POSTGRES names, by default the one on this machine. Where no
// server answers, the Postgres half of a test is skipped and says so; where CI is set it fails instead, so that
// an engine is never silently left out there.
package databasetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
)

// DefaultPostgres is the server that is used if AGORA_TEST_POSTGRES is not set.
const DefaultPostgres = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"

// Each runs a test as two subtests, sqlite and postgres, each with the URL of an empty database that
// database.Open takes.
func Each(t *testing.T, run func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, Postgres(t)) })
}

// SQLite returns the URL of a SQLite file that doesn't exist yet, in a folder that is removed when t ends.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Postgres returns the URL of a new Postgres database, which is dropped when t ends. It skips t if no server is
// reachable, or fails it if CI is set.
func Postgres(t testing.TB) string {
	t.Helper()
	server := Server(t)
	name := fmt.Sprintf("%s%d_%s", prefix, time.Now().Unix(), strings.ToLower(rand.Text()[:10]))
	if err := exec(server, "CREATE DATABASE "+pq.QuoteIdentifier(name)); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() { Drop(t, name) })
	// Tests ask what is true after a commit, not after a crash of the server: they need not wait for its disk.
	if err := exec(server, "ALTER DATABASE "+pq.QuoteIdentifier(name)+" SET synchronous_commit TO off"); err != nil {
		t.Fatalf("configure database %s: %v", name, err)
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("AGORA_TEST_POSTGRES: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

// Server returns the URL of the Postgres server, for tests of programs that make databases themselves. It skips t if no
// server is reachable, or fails it if CI is set.
func Server(t testing.TB) string {
	t.Helper()
	server := serverURL()
	if server == "none" {
		t.Skip("AGORA_TEST_POSTGRES is none")
	}
	if err := reachable(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no Postgres at %s: %v", server, err)
		}
		t.Skipf("no Postgres at %s (set AGORA_TEST_POSTGRES to one): %v", server, err)
	}
	return server
}

// Drop drops a database of the server, if it is there.
func Drop(t testing.TB, name string) {
	t.Helper()
	if err := exec(serverURL(), "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
		t.Errorf("drop database %s: %v", name, err)
	}
}

// prefix starts the names of test databases; the time in seconds follows, by which sweep knows their age.
const prefix = "agora_test_"

func serverURL() string {
	if s := os.Getenv("AGORA_TEST_POSTGRES"); s != "" {
		return s
	}
	return DefaultPostgres
}

// reachable asks the server once per process, and drops what killed tests have left there.
var reachable = sync.OnceValue(func() error {
	db, err := sql.Open("postgres", serverURL())
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	sweep(ctx, db)
	return nil
})

// leftover is the age from which a test database can't belong to a running test.
const leftover = 2 * time.Hour

func sweep(ctx context.Context, db *sql.DB) {
	rows, err := db.QueryContext(ctx, "SELECT datname FROM pg_database WHERE datname LIKE $1", strings.ReplaceAll(prefix, "_", `\_`)+"%")
	if err != nil {
		return
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if rows.Scan(&name) == nil && stale(name, time.Now()) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)")
	}
}

func stale(name string, now time.Time) bool {
	made, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "_")
	seconds, err := strconv.ParseInt(made, 10, 64)
	return err == nil && now.Sub(time.Unix(seconds, 0)) > leftover
}

func exec(server, statement string) error {
	db, err := sql.Open("postgres", server)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err = db.ExecContext(ctx, statement)
	return err
}
