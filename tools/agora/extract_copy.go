package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
)

// move copies a service's data from one database into another while the service writes to the first.
//
// Triggers in the source note the key of every row that changes, in the transaction that changes it. The move goes in
// steps: each reads, in one snapshot of the source, the keys that were noted, the rows that these have now, and the next
// batch of rows of the table that is being copied; and puts all of it into the target in one transaction, together with
// how far it came. So the target is, after each step, a part of what the source was at one moment: no unique key is
// broken by rows of different moments, and a move that was killed goes on where it was. Keys are deleted behind the
// target's commit; those that a kill leaves are copied again, which changes nothing.
type move struct {
	service  string
	from, to *end
	tables   []relation
	// rows and changes count what was copied, of this run.
	rows, changes int
}

// moveBatch is how many rows a step copies; keyChunk how many rows a statement names by key.
const (
	moveBatch = 1000
	keyChunk  = 100
)

// progress is how far a move is: the target's only row of the table extraction.
type progress struct {
	Service string
	// State is empty before the target's schema is ready, then copying, and copied when only changes are left.
	State string
	// Name and RowKey are the table that is being copied and the last key of it, empty at its beginning.
	Name   string
	RowKey string `db:"row_key"`
}

// The states of a move.
const (
	stateCopying = "copying"
	stateCopied  = "copied"
)

// place finds the tables of both ends, which must be of the same version.
func (m *move) place(ctx context.Context) error {
	if err := m.sameVersion(ctx); err != nil {
		return err
	}
	var err error
	if m.tables, err = m.from.relations(ctx); err != nil {
		return err
	}
	others, err := m.to.relations(ctx)
	if err != nil {
		return err
	}
	same := slices.EqualFunc(m.tables, others, func(a, b relation) bool {
		return a.name == b.name && slices.Equal(a.columns, b.columns) && slices.Equal(a.key, b.key)
	})
	if !same {
		return errors.New("the two databases don't have the same tables")
	}
	return nil
}

func (m *move) sameVersion(ctx context.Context) error {
	is, err := m.from.version(ctx)
	if err != nil {
		return err
	}
	will, err := m.to.version(ctx)
	if err == nil && is != will {
		err = fmt.Errorf("the schema of %s is version %d, and this program makes %d: use the program that runs the service", m.service, is, will)
	}
	return err
}

// begin empties the target of what its migrations put there, and has the source note its changes.
func (m *move) begin(ctx context.Context) error {
	noting, err := m.from.has(ctx, "extraction_change")
	if err != nil {
		return err
	}
	if err := m.from.each(ctx, capture(m.from.dialect, m.tables, m.service)); err != nil {
		return fmt.Errorf("note the changes of %s: %w", m.service, err)
	}
	return m.to.tx(ctx, func(tx *sqlx.Tx) error {
		if err := loosen(ctx, tx, m.to.dialect); err != nil {
			return err
		}
		var p progress
		if err := tx.GetContext(ctx, &p, `SELECT service, state, name, row_key FROM extraction`); err != nil {
			return err
		}
		if p.State != "" && noting {
			return nil // an earlier run came as far as this
		}
		for _, t := range m.tables {
			if _, err := tx.ExecContext(ctx, `DELETE FROM "`+t.name+`"`); err != nil {
				return err
			}
		}
		if m.to.dialect == database.SQLite && m.searched() {
			if _, err := tx.ExecContext(ctx, `DELETE FROM product_search`); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE extraction SET state = $1, name = $2, row_key = ''`, stateCopying, m.tables[0].name)
		return err
	})
}

// searched reports whether the service has a search, whose index is not copied but made anew.
func (m *move) searched() bool { return m.service == "products" }

// step copies what has changed, and the next batch. It returns the numbers of the changes that are copied, with their
// keys by table, and the progress made.
func (m *move) step(ctx context.Context, from *sqlx.Tx) (numbers []int64, dirty map[string][][]any, p progress, err error) {
	if err := m.to.read.GetContext(ctx, &p, `SELECT service, state, name, row_key FROM extraction`); err != nil {
		return nil, nil, p, err
	}
	numbers, dirty, err = changes(ctx, from)
	if err != nil {
		return nil, nil, p, err
	}
	fresh := map[string][][]any{}
	for _, t := range m.tables {
		if fresh[t.name], err = rowsAt(ctx, from, t, dirty[t.name]); err != nil {
			return nil, nil, p, err
		}
	}
	next, batch, err := m.batch(ctx, from, p)
	if err != nil {
		return nil, nil, p, err
	}
	err = m.to.tx(ctx, func(tx *sqlx.Tx) error {
		for _, t := range m.tables {
			if err := m.remove(ctx, tx, t, dirty[t.name]); err != nil {
				return err
			}
		}
		for _, t := range m.tables {
			rows := fresh[t.name]
			if t.name == p.Name && p.State == stateCopying {
				rows = append(rows, without(t, batch, dirty[t.name])...)
				if err := m.remove(ctx, tx, t, keysOf(t, batch)); err != nil {
					return err
				}
			}
			if err := insert(ctx, tx, m.to.dialect, t, rows); err != nil {
				return fmt.Errorf("copy %s: %w", t.name, err)
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE extraction SET state = $1, name = $2, row_key = $3`, next.State, next.Name, next.RowKey)
		return err
	})
	m.rows, m.changes = m.rows+len(batch), m.changes+len(numbers)
	return numbers, dirty, next, errors.Join(err, fault.Point("extract.step"))
}

// batch reads the next rows of the table that is being copied, and says where the one after it begins.
func (m *move) batch(ctx context.Context, from *sqlx.Tx, p progress) (next progress, rows [][]any, err error) {
	if p.State != stateCopying {
		return p, nil, nil
	}
	at := slices.IndexFunc(m.tables, func(t relation) bool { return t.name == p.Name })
	if at < 0 {
		return p, nil, fmt.Errorf("the move is at the table %q, which there is not", p.Name)
	}
	t, where, args := m.tables[at], "", []any(nil)
	if p.RowKey != "" {
		if args, err = decodeKey(p.RowKey); err != nil {
			return p, nil, err
		}
		where = " WHERE (" + list(t.key) + ") > (" + placeholders(1, len(args)) + ")"
	}
	rows, err = readRows(ctx, from, fmt.Sprintf(`SELECT %s FROM "%s"%s ORDER BY %s LIMIT %d`, list(t.columns), t.name, where, list(t.key), moveBatch), args)
	if err != nil {
		return p, nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	next = p
	switch {
	case len(rows) == moveBatch:
		key, err := json.Marshal(keysOf(t, rows[len(rows)-1:])[0])
		if err != nil {
			return p, nil, err
		}
		next.RowKey = string(key)
	case at+1 < len(m.tables):
		next.Name, next.RowKey = m.tables[at+1].name, ""
	default:
		next.State, next.Name, next.RowKey = stateCopied, "", ""
	}
	return next, rows, nil
}

// changes are the keys that the source has noted, each once, by table.
func changes(ctx context.Context, from *sqlx.Tx) (numbers []int64, dirty map[string][][]any, err error) {
	var rows []struct {
		N      int64
		Name   string
		RowKey string `db:"row_key"`
	}
	if err := from.SelectContext(ctx, &rows, `SELECT n, name, row_key FROM extraction_change ORDER BY n`); err != nil {
		return nil, nil, fmt.Errorf("read changes: %w", err)
	}
	dirty, seen := map[string][][]any{}, map[string]bool{}
	for _, r := range rows {
		numbers = append(numbers, r.N)
		if seen[r.Name+r.RowKey] {
			continue
		}
		seen[r.Name+r.RowKey] = true
		key, err := decodeKey(r.RowKey)
		if err != nil {
			return nil, nil, err
		}
		dirty[r.Name] = append(dirty[r.Name], key)
	}
	return numbers, dirty, nil
}

// forget deletes changes that the target has.
func (m *move) forget(ctx context.Context, numbers []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	return m.from.tx(ctx, func(tx *sqlx.Tx) error {
		for chunk := range slices.Chunk(numbers, 1000) {
			in, args := database.In(nil, chunk)
			if _, err := tx.ExecContext(ctx, `DELETE FROM extraction_change WHERE n IN `+in, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// remove deletes rows of the target by their keys, and of a product its place in the index.
func (m *move) remove(ctx context.Context, tx *sqlx.Tx, t relation, keys [][]any) error {
	for chunk := range slices.Chunk(keys, keyChunk) {
		where, args := among(t, chunk)
		if _, err := tx.ExecContext(ctx, `DELETE FROM "`+t.name+`" WHERE `+where, args...); err != nil {
			return fmt.Errorf("delete from %s: %w", t.name, err)
		}
		if t.name == "product" && m.to.dialect == database.SQLite {
			of, numbers := database.In(nil, args) // the key of a product is one number
			if _, err := tx.ExecContext(ctx, `DELETE FROM product_search WHERE rowid IN `+of, numbers...); err != nil {
				return fmt.Errorf("delete from the index: %w", err)
			}
		}
	}
	return nil
}
