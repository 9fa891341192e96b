package database_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
		if _, err := database.Open(t.Context(), url, common); err == nil || !strings.Contains(err.Error(), "this program knows others up to 4") {
			t.Errorf("error = %v, want one that names the migration", err)
		}
	})
}

func TestADatabaseWithAMigrationBetweenThoseOfTheProgramIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		empty := func(name string) fs.FS {
			return fstest.MapFS{name: file("SELECT 1;")}
		}
		db, err := database.Open(t.Context(), url, empty("0007_newer.sql"), empty("0009_common.sql"))
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		if _, err := database.Open(t.Context(), url, empty("0009_common.sql")); err == nil || !strings.Contains(err.Error(), "has migration 7") {
			t.Errorf("error = %v, want one that names the migration", err)
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

func TestADatabaseOfAnotherInstallationOrServiceIsRefusedUntouched(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		open := func(owner string, migrations ...fs.FS) error {
			db, err := database.Open(t.Context(), database.WithSettings(url, map[string]string{"owner": owner}), migrations...)
			if err == nil {
				db.Close()
			}
			return err
		}
		for _, owner := range []string{"", "ours/orders", "ours/orders", ""} {
			if err := open(owner, common); err != nil {
				t.Errorf("owner %q: %v", owner, err)
			}
		}
		for _, owner := range []string{"theirs/orders", "ours/payments"} {
			if err := open(owner, common, shop); err == nil || !strings.Contains(err.Error(), "it belongs to ours/orders, and this is "+owner) {
				t.Errorf("owner %q: %v", owner, err)
			}
		}
		if err := open("", common); err != nil {
			t.Errorf("the refused ones have migrated it: %v", err)
		}
	})
}

func TestParametersOfAURLThatMakeNoSenseAreNamed(t *testing.T) {
	for parameter, want := range map[string]string{
		"pool_max_conns=1": "pool_max_conns: found 1, expected a number from 2", "pool_max_conns=x": "pool_max_conns",
		"pool_max_conn_lifetime=5": "pool_max_conn_lifetime", "pool_statements=-1": "pool_statements: found -1, expected a number from 0",
	} {
		if _, err := database.Open(t.Context(), databasetest.SQLite(t)+"?"+parameter, common); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", parameter, err)
		}
	}
}

func TestSettingsReachPostgres(t *testing.T) {
	url := databasetest.Postgres(t)
	db, err := database.Open(t.Context(), database.WithSettings(url, map[string]string{"pool_max_conns": "3", "statement_timeout": "1234", "sslmode": "require"}), common)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var timeout string
	if err := db.Read.Get(&timeout, `SHOW statement_timeout`); err != nil || timeout != "1234ms" || db.Read.Stats().MaxOpenConnections != 3 {
		t.Errorf("statement_timeout = %s, %v, %d connections", timeout, err, db.Read.Stats().MaxOpenConnections)
	}
}

func TestATransactionWhoseConnectionIsCutBeforeItsCommitIsRepeated(t *testing.T) {
	db, err := database.Open(t.Context(), databasetest.Postgres(t), shop)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	runs := 0
	err = db.Tx(t.Context(), func(tx *database.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, "a", 1); err != nil {
			return err
		}
		if runs++; runs == 1 {
			var pid int
			if err := tx.GetContext(t.Context(), &pid, `SELECT pg_backend_pid()`); err != nil {
				return err
			}
			if _, err := db.Read.ExecContext(t.Context(), `SELECT pg_terminate_backend($1)`, pid); err != nil {
				return err
			}
			_, err := tx.ExecContext(t.Context(), `SELECT 1`)
			return err
		}
		return nil
	})
	var n int
	if err2 := db.Read.Get(&n, `SELECT COUNT(*) FROM thing`); err != nil || err2 != nil || n != 1 || runs != 2 {
		t.Errorf("%v %v: %d rows after %d runs", err, err2, n, runs)
	}
}

func TestWhatATransactionNotesIsToldOnceItIsThereForOthersAndOnlyThen(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, shop)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var told []string
		db.Committed = func(ctx context.Context, notes []any) {
			var n int
			if err := db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM thing`); err != nil {
				t.Error(err)
			}
			told = append(told, fmt.Sprint(notes, n))
		}
		for i, fails := range []error{nil, errors.New("refused"), nil} {
			err := db.Tx(t.Context(), func(tx *database.Tx) error {
				tx.Note(i)
				tx.Note("and more")
				_, err := tx.ExecContext(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, fmt.Sprint(i), 0)
				return errors.Join(err, fails)
			})
			if !errors.Is(err, fails) {
				t.Fatal(err)
			}
		}
		if err := db.Tx(t.Context(), func(*database.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(told), "[[0 and more] 1 [2 and more] 2]"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})
}

func TestOneStatementIsATransactionOfItsOwn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url, shop)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Exec(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, "one", 1); err != nil {
			t.Fatal(err)
		}
		if err := db.Exec(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, "one", 2); !database.IsUnique(err) {
			t.Errorf("a second row of one key: %v", err)
		}
		var n int
		if err := db.Read.Get(&n, `SELECT n FROM thing WHERE id = $1`, "one"); err != nil || n != 1 {
			t.Errorf("n = %d, %v", n, err)
		}
	})
}
