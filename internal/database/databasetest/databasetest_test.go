package databasetest

import (
	"database/sql"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

var schema = fstest.MapFS{"00001_note.sql": {Data: []byte("-- +goose Up\nCREATE TABLE note (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE note;\n")}}

func TestEachRunsOnAnEmptyDatabaseOfEitherEngine(t *testing.T) {
	engines := map[database.Dialect]bool{}
	Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, schema)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		engines[db.Dialect] = true
		var n int
		if err := db.Read.Get(&n, "SELECT count(*) FROM note"); err != nil || n != 0 {
			t.Errorf("a new database has %d notes, %v", n, err)
		}
	})
	if !engines[database.SQLite] {
		t.Error("Each did not run on SQLite")
	}
}

func TestCountReadsCountsEveryQueryOnce(t *testing.T) {
	Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, schema)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		queries := CountReads(t, db, url)
		for range 3 {
			var n int
			if err := db.Read.Get(&n, "SELECT count(*) FROM note WHERE id <> $1", "a"); err != nil {
				t.Fatal(err)
			}
		}
		if n := queries.Load(); n != 3 {
			t.Errorf("counted %d queries, want 3", n)
		}
	})
}

func TestAPostgresDatabaseIsGoneAfterItsTest(t *testing.T) {
	var url string
	t.Run("test", func(t *testing.T) { url = Postgres(t) })
	if url == "" {
		t.Skip("no Postgres")
	}
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ping(); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("ping a dropped database: %v", err)
	}
}

func TestOnlyDatabasesOfLongEndedTestsAreStale(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, want := range map[string]bool{
		"agora_test_1799999000_abc": false,
		"agora_test_1799900000_abc": true,
		"agora_test_abc":            false,
		"postgres":                  false,
	} {
		if got := stale(name, now); got != want {
			t.Errorf("stale(%q) = %v, want %v", name, got, want)
		}
	}
}
