package database_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

func file(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)} }

var shop = fstest.MapFS{
	"0100_thing.sql":           file("CREATE TABLE thing (id TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n >= 0));"),
	"sqlite/0101_engine.sql":   file("CREATE TABLE engine (name TEXT); INSERT INTO engine VALUES ('sqlite');"),
	"postgres/0101_engine.sql": file("CREATE TABLE engine (name TEXT); INSERT INTO engine VALUES ('postgres');"),
}

var common = fstest.MapFS{"0001_common.sql": file("CREATE TABLE common (id TEXT);")}

func TestADatabaseHasTheTablesOfAllFoldersAndOfItsOwnEngine(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		for range 2 { // the second time there is nothing to do
			db, err := database.Open(t.Context(), url, shop, common)
			if err != nil {
				t.Fatal(err)
			}
			var engine string
			if err := db.Read.Get(&engine, `SELECT name FROM engine, (SELECT COUNT(*) FROM common) c, (SELECT COUNT(*) FROM thing) t`); err != nil || engine != string(db.Dialect) {
				t.Errorf("engine = %q, %v", engine, err)
			}
			db.Close()
		}
	})
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, shop)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		if _, err := database.Open(t.Context(), url, common); err == nil || !strings.Contains(err.Error(), "knows up to 1") {
			t.Errorf("error = %v, want one that names both versions", err)
		}
	})
}

func TestATransactionIsWholeOrNothingAndManyAtOnceAreNoneLost(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, shop)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		insert := func(tx *database.Tx, id string) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, id, 0)
			return err
		}
		boom := errors.New("boom")
		err = db.Tx(t.Context(), func(tx *database.Tx) error { return errors.Join(insert(tx, "lost"), boom) })
		if !errors.Is(err, boom) {
			t.Errorf("error = %v", err)
		}
		if err := db.Tx(t.Context(), func(tx *database.Tx) error { return insert(tx, "kept") }); err != nil {
			t.Fatal(err)
		}
		if err := db.Tx(t.Context(), func(tx *database.Tx) error { return insert(tx, "kept") }); !database.IsUnique(err) {
			t.Errorf("a second row of one key: %v", err)
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				err := db.Tx(t.Context(), func(tx *database.Tx) error {
					var n int64
					if err := tx.GetContext(t.Context(), &n, `SELECT n FROM thing WHERE id = $1`+tx.Dialect.ForUpdate(), "kept"); err != nil {
						return err
					}
					_, err := tx.ExecContext(t.Context(), `UPDATE thing SET n = $1 WHERE id = $2`, n+1, "kept")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var got string
		list, args := database.In(nil, []string{"kept", "lost"})
		rows := []struct {
			ID string
			N  int64
		}{}
		if err := db.Read.Select(&rows, `SELECT id, n FROM thing WHERE id IN `+list, args...); err != nil {
			t.Fatal(err)
		}
		if got = fmt.Sprint(rows); got != "[{kept 50}]" {
			t.Errorf("rows = %s, want [{kept 50}]", got)
		}
	})
}

func TestAURLThatIsNoneOfOursSaysWhatIsWantedAndNoPassword(t *testing.T) {
	_, err := database.Open(t.Context(), "mysql://root:secret@localhost/x", common)
	if err == nil || !strings.Contains(err.Error(), "sqlite:PATH") || strings.Contains(err.Error(), "secret") {
		t.Errorf("error = %v", err)
	}
}
