package products

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// Search holds the words of the package words in the engine's own index: an FTS5 table on SQLite, a tsvector with a
// GIN index on Postgres. Both find exactly the same products, since neither tokenizes or stems by itself.
//
// The relevance of a product is a whole number that depends on the product and the query alone: what a term weighs in
// the best known places that it occurs in, less the length of the name, so that a name that says little else comes
// first. Not bm25, whose scores move with every product that is added anywhere: a cursor must hold still.

// places are the parts of a product's text that weigh more than the description, as FTS5 columns and as tsvector
// weights.
var places = []struct {
	column string
	label  string
	weight int
}{
	{"name", "A", 100},
	{"sku", "B", 60},
	{"keywords", "C", 30},
}

// anywhere is what a product weighs for being found at all, and maxNameWords the most that its name takes off that.
const (
	anywhere     = 10
	maxNameWords = 9
)

// text is what of a product is searched.
type text struct {
	name, sku, keywords, description string
}

// index puts the words of a product into the index, in place of those that it had.
func index(ctx context.Context, tx *database.Tx, n int64, t text) error {
	parts := [][]string{words.Index(t.name), words.Index(t.sku), words.Index(t.keywords), words.Index(t.description)}
	if tx.Dialect == database.Postgres {
		_, err := tx.ExecContext(ctx, `UPDATE product SET search = CAST($1 AS tsvector) WHERE n = $2`, vector(parts), n)
		return err
	}
	columns := []any{n}
	for _, part := range parts {
		columns = append(columns, strings.Join(part, " "))
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM product_search WHERE rowid = $1`, n); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO product_search (rowid, name, sku, keywords, description) VALUES ($1, $2, $3, $4, $5)`, columns...)
	return err
}

// vector writes a tsvector: words are of letters and digits, so nothing in them needs quoting.
func vector(parts [][]string) string {
	var order []string
	labels := map[string]string{}
	for i, part := range parts {
		for _, w := range part {
			if labels[w] == "" {
				order = append(order, w)
			} else {
				labels[w] += ","
			}
			labels[w] += fmt.Sprintf("%d%c", i+1, "ABCD"[i])
		}
	}
	var b strings.Builder
	for _, w := range order {
		fmt.Fprintf(&b, "'%s':%s ", w, labels[w])
	}
	return b.String()
}

// fts5 writes a term as FTS5 reads it (https://www.sqlite.org/fts5.html#full_text_query_syntax).
func fts5(t words.Term) string {
	if t.Prefix == "" {
		return `"` + t.Stem + `"`
	}
	return `("` + t.Stem + `" OR "` + t.Prefix + `" *)`
}

// tsquery writes a term as Postgres reads it, restricted to a label or, with "", anywhere.
func tsquery(t words.Term, label string) string {
	exact := "'" + t.Stem + "'"
	if label != "" {
		exact += ":" + label
	}
	if t.Prefix == "" {
		return exact
	}
	return "(" + exact + " | '" + t.Prefix + "':*" + label + ")"
}

// each writes all terms and joins them.
func each(terms []words.Term, and string, write func(words.Term) string) string {
	written := make([]string, len(terms))
	for i, t := range terms {
		written[i] = write(t)
	}
	return strings.Join(written, and)
}

// hits writes the query of the numbers of products that have all terms, as n, with their relevance, as score.
func (q *statement) hits(dialect database.Dialect, terms []words.Term) {
	if dialect == database.Postgres {
		q.sql(`SELECT n, `, anywhere)
		for _, t := range terms {
			for _, p := range places {
				q.sql(` + `, p.weight, ` * CAST(search @@ CAST(`).arg(tsquery(t, p.label)).sql(` AS tsquery) AS int)`)
			}
		}
		all := each(terms, " & ", func(t words.Term) string { return tsquery(t, "") })
		q.sql(` AS score FROM product WHERE search @@ CAST(`).arg(all).sql(` AS tsquery)`)
		return
	}
	all := each(terms, " AND ", fts5)
	q.sql(`SELECT n, SUM(weight) AS score FROM (SELECT rowid AS n, `, anywhere, ` AS weight FROM product_search WHERE product_search MATCH `).arg(all)
	for _, t := range terms {
		for _, p := range places {
			q.sql(` UNION ALL SELECT rowid, `, p.weight, ` FROM product_search WHERE product_search MATCH `)
			q.arg(p.column + ` : ` + fts5(t) + without(terms, t))
		}
	}
	q.sql(`) GROUP BY n`)
}

// without are the other terms, which a product that a term weighs in for must have too.
func without(terms []words.Term, not words.Term) string {
	var b strings.Builder
	for _, t := range terms {
		if t != not {
			b.WriteString(" AND " + fts5(t))
		}
	}
	return b.String()
}

// found writes the query of the numbers alone.
func (q *statement) found(dialect database.Dialect, terms []words.Term) {
	if dialect == database.Postgres {
		all := each(terms, " & ", func(t words.Term) string { return tsquery(t, "") })
		q.sql(`SELECT n FROM product WHERE search @@ CAST(`).arg(all).sql(` AS tsquery)`)
		return
	}
	q.sql(`SELECT rowid AS n FROM product_search WHERE product_search MATCH `).arg(each(terms, " AND ", fts5))
}
