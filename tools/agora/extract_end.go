package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/database"
)

// end is one of the two databases of a move.
type end struct {
	url     string
	dialect database.Dialect
	read    *sqlx.DB
	// tx runs fn in a transaction that may write; fn may run more than once.
	tx    func(ctx context.Context, fn func(tx *sqlx.Tx) error) error
	close func() error
}

// openEnd connects to a database whose service may be running.
func openEnd(url string) (*end, error) {
	db, err := database.Connect(url)
	if err != nil {
		return nil, err
	}
	return &end{
		url: url, dialect: db.Dialect, read: db.Read, close: db.Close,
		tx: func(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
			return db.Tx(ctx, func(tx *database.Tx) error { return fn(tx.Tx) })
		},
	}, nil
}

// openTarget connects to a database that nobody else uses yet. What SQLite does for foreign keys is off: until the last
// row is there, they lead nowhere.
func openTarget(url string) (*end, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return openEnd(url)
	}
	db, err := sqlx.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	return &end{url: url, dialect: database.SQLite, read: db, close: db.Close, tx: func(ctx context.Context, fn func(tx *sqlx.Tx) error) error {
		tx, err := db.BeginTxx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		defer tx.Rollback()
		if err := fn(tx); err != nil {
			return err
		}
		return tx.Commit()
	}}, nil
}

// snapshot begins a transaction that sees one moment and changes nothing.
func (e *end) snapshot(ctx context.Context) (*sqlx.Tx, error) {
	options := &sql.TxOptions{ReadOnly: true}
	if e.dialect == database.Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	return e.read.BeginTxx(ctx, options)
}

// relation is a table that is moved.
type relation struct {
	name string
	// columns are all that are stored, sorted; key are those of the primary key, in its order.
	columns, key []string
}

// list writes the columns of a relation, quoted.
func list(columns []string) string { return `"` + strings.Join(columns, `", "`) + `"` }

// prefix of the names of all that a move leaves in a database while it lasts.
const movePrefix = "extraction"

// relations are the tables with the service's data, sorted: not those that say what the schema is or whose the database
// is, nor the search's index, which each engine builds in its own way.
func (e *end) relations(ctx context.Context) ([]relation, error) {
	query := `
		SELECT t.name AS name, c.name AS column_name, c.pk AS pk
		FROM pragma_table_list t, pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'`
	if e.dialect == database.Postgres {
		query = `
			SELECT c.table_name AS name, c.column_name AS column_name, COALESCE(k.ordinal_position, 0) AS pk
			FROM information_schema.columns c
			LEFT JOIN information_schema.table_constraints p
				ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY'
			LEFT JOIN information_schema.key_column_usage k
				ON k.constraint_schema = p.constraint_schema AND k.constraint_name = p.constraint_name AND k.column_name = c.column_name
			WHERE c.table_schema = current_schema() AND c.udt_name <> 'tsvector'`
	}
	var rows []struct {
		Name   string
		Column string `db:"column_name"`
		PK     int
	}
	if err := e.read.SelectContext(ctx, &rows, query+` ORDER BY 1, 3, 2`); err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	byName := map[string]*relation{}
	for _, r := range rows {
		if r.Name == "owner" || strings.HasPrefix(r.Name, "goose_") || strings.HasPrefix(r.Name, movePrefix) {
			continue
		}
		t := byName[r.Name]
		if t == nil {
			t = &relation{name: r.Name}
			byName[r.Name] = t
		}
		t.columns = append(t.columns, r.Column)
		if r.PK > 0 {
			t.key = append(t.key, r.Column)
		}
	}
	var all []relation
	for _, name := range names(byName) {
		t := byName[name]
		if len(t.key) == 0 {
			return nil, fmt.Errorf("the table %s has no primary key, by which its changes could be told", name)
		}
		slices.Sort(t.columns)
		all = append(all, *t)
	}
	return all, nil
}

// has reports whether there is a table of a name.
func (e *end) has(ctx context.Context, name string) (bool, error) {
	query := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1`
	if e.dialect == database.Postgres {
		query = `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1`
	}
	var n int
	err := e.read.GetContext(ctx, &n, query, name)
	return n > 0, err
}

// version is that of the schema.
func (e *end) version(ctx context.Context) (version int64, err error) {
	err = e.read.GetContext(ctx, &version, `SELECT MAX(version_id) FROM goose_db_version`)
	return version, err
}

// execAll runs statements one after the other.
func execAll(ctx context.Context, tx *sqlx.Tx, statements []string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// keyOf is the key of a row in a trigger, as a JSON array: row is NEW or OLD.
func (t relation) keyOf(row string, dialect database.Dialect) string {
	var columns []string
	for _, k := range t.key {
		columns = append(columns, row+`."`+k+`"`)
	}
	if dialect == database.Postgres {
		return "CAST(json_build_array(" + strings.Join(columns, ", ") + ") AS TEXT)"
	}
	return "json_array(" + strings.Join(columns, ", ") + ")"
}

// capture are the statements by which a database notes the key of every row that changes, in the transaction that
// changes it: each element is for one transaction, and does nothing the second time.
//
// In Postgres every writing statement goes through a gate besides: it waits while the switch holds the gate shut, and is
// refused behind the switch. Locks on all tables would do the same, but for deadlocks with transactions that write to
// several.
func capture(dialect database.Dialect, tables []relation, service string) [][]string {
	all := [][]string{{`CREATE TABLE IF NOT EXISTS extraction_change (n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, row_key TEXT NOT NULL)`}}
	if dialect == database.Postgres {
		all[0] = []string{
			`CREATE TABLE IF NOT EXISTS extraction_change (n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL, row_key TEXT NOT NULL)`,
			`CREATE TABLE IF NOT EXISTS extraction_moved (url TEXT NOT NULL)`,
			fmt.Sprintf(`CREATE OR REPLACE FUNCTION extraction_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				PERFORM pg_advisory_xact_lock_shared(%d);
				IF EXISTS (SELECT 1 FROM extraction_moved) THEN RAISE EXCEPTION '%s'; END IF;
				RETURN NULL; END $$`, gate, refusal(service)),
		}
	}
	for _, t := range tables {
		note := func(row string) string {
			return fmt.Sprintf("INSERT INTO extraction_change (name, row_key) VALUES ('%s', %s);", t.name, t.keyOf(row, dialect))
		}
		if dialect == database.Postgres {
			all = append(all, []string{
				fmt.Sprintf(`CREATE OR REPLACE FUNCTION extraction_note_%s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
					IF TG_OP <> 'INSERT' THEN %s END IF;
					IF TG_OP <> 'DELETE' THEN %s END IF;
					RETURN NULL; END $$`, t.name, note("OLD"), note("NEW")),
				fmt.Sprintf(`CREATE OR REPLACE TRIGGER extraction_note AFTER INSERT OR UPDATE OR DELETE ON "%s" FOR EACH ROW EXECUTE FUNCTION extraction_note_%s()`, t.name, t.name),
				fmt.Sprintf(`CREATE OR REPLACE TRIGGER extraction_gate BEFORE INSERT OR UPDATE OR DELETE ON "%s" FOR EACH STATEMENT EXECUTE FUNCTION extraction_gate()`, t.name),
			})
			continue
		}
		for event, body := range map[string]string{"INSERT": note("NEW"), "UPDATE": note("OLD") + note("NEW"), "DELETE": note("OLD")} {
			all[0] = append(all[0], fmt.Sprintf(`CREATE TRIGGER IF NOT EXISTS extraction_note_%s_%s AFTER %s ON "%s" BEGIN %s END`, t.name, event, event, t.name, body))
		}
	}
	return all
}

// gate is the number of the advisory lock that writers share.
const gate = 7_242_679_001

// refusal is what writers are told behind the switch.
func refusal(service string) string {
	return "the data of " + service + " has moved: restart its process"
}

// release are the statements that undo capture.
func release(dialect database.Dialect, tables []relation) [][]string {
	var all [][]string
	for _, t := range tables {
		if dialect == database.Postgres {
			all = append(all, []string{
				fmt.Sprintf(`DROP TRIGGER IF EXISTS extraction_gate ON "%s"`, t.name),
				fmt.Sprintf(`DROP FUNCTION IF EXISTS extraction_note_%s() CASCADE`, t.name),
			})
			continue
		}
		for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
			all = append(all, []string{fmt.Sprintf(`DROP TRIGGER IF EXISTS extraction_note_%s_%s`, t.name, event)})
		}
	}
	if dialect == database.Postgres {
		all = append(all, []string{`DROP FUNCTION IF EXISTS extraction_gate()`, `DROP TABLE IF EXISTS extraction_moved`})
	}
	return append(all, []string{`DROP TABLE IF EXISTS extraction_change`})
}

// shut makes writers wait, in a transaction that may write, until its end.
func shut(ctx context.Context, tx *sqlx.Tx, dialect database.Dialect) error {
	if dialect == database.SQLite {
		return nil // the transaction is the only writer
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, gate)
	return err
}

// fence are the statements that refuse every write to the database from their commit on. Postgres has them in the gate.
func fence(dialect database.Dialect, tables []relation, service string) []string {
	if dialect == database.Postgres {
		return nil
	}
	statements := []string{`CREATE TABLE extraction_moved (url TEXT NOT NULL)`}
	for _, undo := range release(dialect, tables) {
		statements = append(statements, undo...)
	}
	for _, t := range tables {
		for _, event := range []string{"INSERT", "UPDATE", "DELETE"} {
			statements = append(statements, fmt.Sprintf(`CREATE TRIGGER extraction_fence_%s_%s BEFORE %s ON "%s" BEGIN SELECT RAISE(ABORT, '%s'); END`, t.name, event, event, t.name, refusal(service)))
		}
	}
	return statements
}

// each runs lists of statements, a transaction each.
func (e *end) each(ctx context.Context, lists [][]string) error {
	for _, statements := range lists {
		if err := e.tx(ctx, func(tx *sqlx.Tx) error { return execAll(ctx, tx, statements) }); err != nil {
			return err
		}
	}
	return nil
}
