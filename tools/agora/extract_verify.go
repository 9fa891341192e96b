package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/database"
)

// digest is the number of rows and the sum of their hashes: the order of rows is left out of it, which is the engines'
// own.
type digest struct {
	rows int
	sum  [sha256.Size / 8]uint64
}

// add adds a row, in which values are nil, int64, string and bool. Engines keep truth as they like.
func (d *digest) add(row []any) {
	h := sha256.New()
	for _, v := range row {
		if b, ok := v.(bool); ok {
			v = int64(0)
			if b {
				v = int64(1)
			}
		}
		text := fmt.Sprint(v)
		fmt.Fprintf(h, "%T %d %s ", v, len(text), text)
	}
	sum := h.Sum(nil)
	for i := range d.sum {
		var part uint64
		for _, b := range sum[8*i : 8*i+8] {
			part = part<<8 | uint64(b)
		}
		d.sum[i] += part
	}
	d.rows++
}

// digestOf is that of all rows of a table.
func digestOf(ctx context.Context, q sqlx.QueryerContext, t relation) (d digest, err error) {
	err = scan(ctx, q, `SELECT `+list(t.columns)+` FROM "`+t.name+`"`, nil, d.add)
	return d, err
}

// digestAt is that of the rows of some keys.
func digestAt(ctx context.Context, q sqlx.QueryerContext, t relation, keys [][]any) (d digest, err error) {
	rows, err := rowsAt(ctx, q, t, keys)
	for _, row := range rows {
		d.add(row)
	}
	return d, err
}

// same returns an error that names every table in which the target differs from the source.
func (m *move) same(from sqlx.QueryerContext, of func(q sqlx.QueryerContext, t relation) (digest, error)) error {
	var errs []error
	for _, t := range m.tables {
		is, err := of(from, t)
		if err != nil {
			return fmt.Errorf("verify %s: %w", t.name, err)
		}
		copied, err := of(m.to.read, t)
		switch {
		case err != nil:
			return fmt.Errorf("verify %s: %w", t.name, err)
		case is.rows != copied.rows:
			errs = append(errs, fmt.Errorf("the table %s has %d rows, and its copy has %d", t.name, is.rows, copied.rows))
		case is != copied:
			errs = append(errs, fmt.Errorf("the table %s has %d rows, and its copy others", t.name, is.rows))
		}
	}
	return errors.Join(errs...)
}

// sameRows compares all rows of all tables.
func (m *move) sameRows(ctx context.Context, from sqlx.QueryerContext) error {
	return m.same(from, func(q sqlx.QueryerContext, t relation) (digest, error) { return digestOf(ctx, q, t) })
}

// sameChanges compares the rows that have changed, and the number of all others: these were compared before.
func (m *move) sameChanges(ctx context.Context, from sqlx.QueryerContext, dirty map[string][][]any) error {
	return m.same(from, func(q sqlx.QueryerContext, t relation) (digest, error) {
		d, err := digestAt(ctx, q, t, dirty[t.name])
		if err == nil {
			err = sqlx.GetContext(ctx, q, &d.rows, `SELECT COUNT(*) FROM "`+t.name+`"`)
		}
		return d, err
	})
}

// What hangs on single rows while the whole isn't there, foreign keys and triggers, is taken off the target for the
// time of the move. The statements that put it back stand in the table extraction_restore.

// loosen takes it off, as far as it is on.
func loosen(ctx context.Context, tx *sqlx.Tx, dialect database.Dialect) error {
	query := `SELECT name, 'DROP TRIGGER "' || name || '"' AS off, sql AS restore FROM sqlite_master WHERE type = 'trigger'`
	if dialect == database.Postgres {
		query = `
			SELECT conrelid::regclass || ' ' || conname AS name, 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(conname) AS off,
			       'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || quote_ident(conname) || ' ' || REPLACE(pg_get_constraintdef(oid), ' NOT VALID', '') || ' NOT VALID' AS restore
			FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
			UNION ALL
			SELECT tgrelid::regclass || ' ' || tgname, 'DROP TRIGGER ' || quote_ident(tgname) || ' ON ' || tgrelid::regclass, pg_get_triggerdef(t.oid)
			FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
			WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace`
	}
	var found []struct{ Name, Off, Restore string }
	if err := tx.SelectContext(ctx, &found, query); err != nil {
		return fmt.Errorf("list constraints and triggers: %w", err)
	}
	for _, f := range found {
		_, err := tx.ExecContext(ctx, `INSERT INTO extraction_restore (name, statement) VALUES ($1, $2) ON CONFLICT DO NOTHING`, f.Name, f.Restore)
		if err != nil {
			return err
		}
		if err := execAll(ctx, tx, []string{f.Off}); err != nil {
			return err
		}
	}
	return nil
}

// tighten puts it back. What is there already is not looked at by Postgres yet: that is validate's part, which takes
// long and no locks.
func tighten(ctx context.Context, tx *sqlx.Tx, dialect database.Dialect) error {
	var statements []string
	if err := tx.SelectContext(ctx, &statements, `SELECT statement FROM extraction_restore ORDER BY name`); err != nil {
		return err
	}
	if dialect == database.Postgres {
		var numbered []string
		err := tx.SelectContext(ctx, &numbered, `
			SELECT 'SELECT setval(pg_get_serial_sequence(''' || quote_ident(table_name) || ''', ''' || column_name || '''), (SELECT COALESCE(MAX(' || quote_ident(column_name) || '), 0) + 1 FROM ' || quote_ident(table_name) || '), FALSE)'
			FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'`)
		if err != nil {
			return err
		}
		statements = slices.Concat(statements, numbered)
	} else {
		var broken []struct {
			Table  string
			RowID  *int64 `db:"rowid"`
			Parent string
			FKID   int `db:"fkid"`
		}
		if err := tx.SelectContext(ctx, &broken, `SELECT * FROM pragma_foreign_key_check`); err != nil {
			return err
		}
		if len(broken) > 0 {
			return fmt.Errorf("%d foreign keys lead nowhere, the first from %s to %s", len(broken), broken[0].Table, broken[0].Parent)
		}
	}
	return execAll(ctx, tx, append(statements, `DELETE FROM extraction_restore`))
}

// validate has Postgres look at the constraints that tighten has put back, and removes the traces of the move.
func (e *end) validate(ctx context.Context) error {
	if e.dialect == database.Postgres {
		var statements []string
		err := e.read.SelectContext(ctx, &statements, `
			SELECT 'ALTER TABLE ' || conrelid::regclass || ' VALIDATE CONSTRAINT ' || quote_ident(conname)
			FROM pg_constraint WHERE NOT convalidated AND connamespace = current_schema()::regnamespace ORDER BY 1`)
		if err != nil {
			return err
		}
		for _, s := range statements {
			if _, err := e.read.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	return e.tx(ctx, func(tx *sqlx.Tx) error {
		return execAll(ctx, tx, []string{`DROP TABLE IF EXISTS extraction`, `DROP TABLE IF EXISTS extraction_restore`})
	})
}
