package database_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

// openThings opens a database with ten things.
func openThings(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url, shop)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	err = db.Tx(t.Context(), func(tx *database.Tx) error {
		for i := range 10 {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO thing (id, n) VALUES ($1, $2)`, fmt.Sprint(i), i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// prepared are the texts that the server keeps prepared for the connection of a transaction.
func prepared(t *testing.T, tx *database.Tx) string {
	t.Helper()
	var texts []string
	if err := tx.SelectContext(t.Context(), &texts, `SELECT statement FROM pg_prepared_statements`); err != nil {
		t.Fatal(err)
	}
	return strings.Join(texts, "\n")
}

func TestAStatementThatComesAgainIsPrepared(t *testing.T) {
	for keep, want := range map[string]bool{"10": true, "0": false} {
		db := openThings(t, database.WithSettings(databasetest.Postgres(t), map[string]string{"pool_max_conns": "2", "pool_statements": keep}))
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			var n int
			for i := range 3 {
				if err := tx.GetContext(t.Context(), &n, `SELECT n FROM thing WHERE id = $1 OR id = 'twice'`, fmt.Sprint(i)); err != nil || n != i {
					return fmt.Errorf("%d: %w", n, err)
				}
				if err := tx.GetContext(database.PlanEachTime(t.Context()), &n, `SELECT n FROM thing WHERE id = $1 OR id = 'planned'`, fmt.Sprint(i)); err != nil || n != i {
					return fmt.Errorf("%d: %w", n, err)
				}
			}
			if err := tx.GetContext(t.Context(), &n, `SELECT n FROM thing WHERE id = $1 OR id = 'once'`, "1"); err != nil {
				return err
			}
			if got := prepared(t, tx); strings.Contains(got, "twice") != want || strings.Contains(got, "once") || strings.Contains(got, "planned") {
				t.Errorf("of at most %s these are prepared:\n%s", keep, got)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestPreparedStatementsThatHaveNoRoomAreForgotten(t *testing.T) {
	db := openThings(t, database.WithSettings(databasetest.Postgres(t), map[string]string{"pool_max_conns": "2", "pool_statements": "3"}))
	err := db.Tx(t.Context(), func(tx *database.Tx) error {
		for i := range 30 {
			var n int
			if err := tx.GetContext(t.Context(), &n, fmt.Sprintf(`SELECT n FROM thing WHERE id = $1 AND n < %d`, 100+i/2), "7"); err != nil || n != 7 {
				return fmt.Errorf("%d: %w", n, err)
			}
		}
		if got := strings.Count(prepared(t, tx), "thing"); got != 3 {
			t.Errorf("%d are prepared, want 3", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A statement that is being read can't be carried out again until it has been, on either engine in its own way: SQLite has a
// row of the one before.
func TestAStatementIsCarriedOutAgainWhileItsRowsAreRead(t *testing.T) {
	db := openThings(t, databasetest.SQLite(t))
	err := db.Tx(t.Context(), func(tx *database.Tx) error {
		const query = `SELECT n FROM thing WHERE n >= $1 ORDER BY n`
		for range 3 {
			outer, err := tx.QueryContext(t.Context(), query, 5)
			if err != nil {
				return err
			}
			for want := 5; outer.Next(); want++ {
				var n, first int
				if err := errors.Join(outer.Scan(&n), tx.GetContext(t.Context(), &first, query, 8)); err != nil || n != want || first != 8 {
					t.Errorf("found %d and within %d, %v; want %d and 8", n, first, err, want)
				}
			}
			if err := errors.Join(outer.Err(), outer.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPreparedStatementsGoOnBehindAChangeOfTheirTable(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db := openThings(t, database.WithSettings(url, map[string]string{"pool_max_conns": "2"}))
		read := func() (n int, err error) {
			return n, db.Read.GetContext(t.Context(), &n, `SELECT * FROM thing_n WHERE n = $1`, 3)
		}
		readInTx := func() (n int, err error) {
			return n, db.Tx(t.Context(), func(tx *database.Tx) error {
				return tx.GetContext(t.Context(), &n, `SELECT * FROM thing_n WHERE n = $1 AND n > 0`, 3)
			})
		}
		change := func(statements ...string) {
			t.Helper()
			if err := db.Tx(t.Context(), func(tx *database.Tx) error {
				for _, s := range statements {
					if _, err := tx.ExecContext(t.Context(), s); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		change(`CREATE TABLE thing_n (n BIGINT)`, `INSERT INTO thing_n VALUES (3)`)
		for range 8 {
			for _, f := range []func() (int, error){read, readInTx} {
				if n, err := f(); err != nil || n != 3 {
					t.Fatalf("before: %d, %v", n, err)
				}
			}
		}
		change(`DROP TABLE thing_n`, `CREATE TABLE thing_n (n INT)`, `INSERT INTO thing_n VALUES (3)`)
		for range 3 {
			for _, f := range []func() (int, error){read, readInTx} {
				if n, err := f(); err != nil || n != 3 {
					t.Errorf("behind the change: %d, %v", n, err)
				}
			}
		}
	})
}

func TestAStatementThatIsCutOffLeavesNothingToTheNextOne(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		db := openThings(t, database.WithSettings(url, map[string]string{"pool_max_conns": "2", "statement_timeout": "20000"}))
		const query = `WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < $1) SELECT COUNT(*) FROM r`
		for i := range 30 {
			ctx, cancel := context.WithCancel(t.Context())
			cut := make(chan error, 1)
			go func() {
				var n int
				cut <- db.Read.GetContext(ctx, &n, query, 1_000_000_000)
			}()
			time.Sleep(time.Duration(i%5) * time.Millisecond)
			if i > 2 {
				cancel()
			}
			var n int
			if err := db.Read.GetContext(t.Context(), &n, query, 10); err != nil || n != 10 {
				t.Errorf("beside one that is cut off: %d, %v", n, err)
			}
			cancel()
			if err := <-cut; err == nil {
				t.Error("it was not cut off")
			}
		}
	})
}
