package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/database"
)

// insert stores rows of a table.
func insert(ctx context.Context, tx *sqlx.Tx, dialect database.Dialect, t relation, rows [][]any) error {
	overriding := ""
	if dialect == database.Postgres {
		overriding = " OVERRIDING SYSTEM VALUE" // numbers stay what they are
	}
	for chunk := range slices.Chunk(rows, max(1, min(500, 20000/len(t.columns)))) {
		var values []string
		var args []any
		for _, row := range chunk {
			values = append(values, "("+placeholders(len(args)+1, len(row))+")")
			args = append(args, row...)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`INSERT INTO "%s" (%s)%s VALUES %s`, t.name, list(t.columns), overriding, strings.Join(values, ", ")), args...); err != nil {
			return err
		}
	}
	return nil
}

// rowsAt are the rows of some keys, of those that there are.
func rowsAt(ctx context.Context, q sqlx.QueryerContext, t relation, keys [][]any) (all [][]any, err error) {
	for chunk := range slices.Chunk(keys, keyChunk) {
		where, args := among(t, chunk)
		rows, err := readRows(ctx, q, fmt.Sprintf(`SELECT %s FROM "%s" WHERE %s`, list(t.columns), t.name, where), args)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.name, err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

// among is the condition that a row has one of some keys.
func among(t relation, keys [][]any) (string, []any) {
	var alternatives []string
	var args []any
	for _, key := range keys {
		var parts []string
		for i, column := range t.key {
			args = append(args, key[i])
			parts = append(parts, fmt.Sprintf(`"%s" = $%d`, column, len(args)))
		}
		alternatives = append(alternatives, "("+strings.Join(parts, " AND ")+")")
	}
	return strings.Join(alternatives, " OR "), args
}

// readRows returns rows as values that both engines store alike.
func readRows(ctx context.Context, q sqlx.QueryerContext, text string, args []any) ([][]any, error) {
	var all [][]any
	err := scan(ctx, q, text, args, func(row []any) { all = append(all, row) })
	return all, err
}

// scan calls each for every row of a query: its values are nil, int64, string and bool.
func scan(ctx context.Context, q sqlx.QueryerContext, text string, args []any, each func(row []any)) error {
	rows, err := q.QueryxContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok {
				row[i] = string(b)
			}
		}
		each(row)
	}
	return rows.Err()
}

func placeholders(first, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(all, ", ")
}

// decodeKey reads a key as JSON: its values are string and int64.
func decodeKey(text string) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var key []any
	if err := d.Decode(&key); err != nil {
		return nil, fmt.Errorf("key %s: %w", text, err)
	}
	for i, v := range key {
		if n, ok := v.(json.Number); ok {
			whole, err := n.Int64()
			if err != nil {
				return nil, fmt.Errorf("key %s: %w", text, err)
			}
			key[i] = whole
		}
	}
	return key, nil
}

// keysOf are the keys of rows.
func keysOf(t relation, rows [][]any) [][]any {
	keys := make([][]any, len(rows))
	for i, row := range rows {
		for _, k := range t.key {
			keys[i] = append(keys[i], row[slices.Index(t.columns, k)])
		}
	}
	return keys
}

// without are the rows whose keys are not among some.
func without(t relation, rows, keys [][]any) [][]any {
	taken := map[string]bool{}
	for _, key := range keys {
		taken[fmt.Sprint(key)] = true
	}
	var rest [][]any
	for i, key := range keysOf(t, rows) {
		if !taken[fmt.Sprint(key)] {
			rest = append(rest, rows[i])
		}
	}
	return rest
}
