package feed

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// columns are those of a CSV file, in the order in which they are written: first the product's, which stand in its first
// row and may be repeated, then the variant's. Behind them come option1, value1, option2, value2 and so on.
var columns = []string{
	"slug", "name", "description", "status", "category", "currency", "created_at", "former_slugs",
	"sku", "variant", "price", "compare_at", "weight_grams",
}

// productColumns is how many of the columns are the product's.
const productColumns = 8

// maxOptionColumns is how many pairs of option columns a file may have.
const maxOptionColumns = 10

// required are the columns that no file is without.
var required = []string{"slug", "name", "category", "currency", "sku", "variant", "price"}

type csvReader struct {
	rows *csv.Reader
	// at is where each column stands.
	at map[string]int
	// ahead is the first row behind the unit that is read, or nil.
	ahead *csvRow
	// doubtful says that the row before could not be read, and may have belonged to what comes now.
	doubtful *Problem
}

type csvRow struct {
	line, last int
	cells      []string
	problem    *Problem
}

func newCSVReader(r io.Reader) (*csvReader, error) {
	buffered := bufio.NewReader(r)
	if head, err := buffered.Peek(len(bom)); err == nil && bytes.Equal(head, bom) {
		buffered.Discard(len(bom))
	}
	reader := &csvReader{rows: csv.NewReader(buffered), at: map[string]int{}}
	reader.rows.ReuseRecord = false
	head, err := reader.rows.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: want the names of the columns, %s: %w", strings.Join(columns, ","), err)
	}
	for i, name := range head {
		name = strings.TrimSpace(name)
		if !slices.Contains(columns, name) && !optionColumn(name) {
			return nil, fmt.Errorf("line 1: there is no column %q: want %s, option1, value1, …", name, strings.Join(columns, ", "))
		}
		if _, twice := reader.at[name]; twice {
			return nil, fmt.Errorf("line 1: the column %q is there twice", name)
		}
		reader.at[name] = i
	}
	for _, name := range required {
		if _, ok := reader.at[name]; !ok {
			return nil, fmt.Errorf("line 1: the column %q is missing", name)
		}
	}
	return reader, nil
}

func optionColumn(name string) bool {
	for _, prefix := range []string{"option", "value"} {
		if number, ok := strings.CutPrefix(name, prefix); ok {
			n, err := strconv.Atoi(number)
			return err == nil && n >= 1 && n <= maxOptionColumns
		}
	}
	return false
}

// row reads the next row. One that can't be read has a problem and no cells.
func (r *csvReader) row() (*csvRow, error) {
	if next := r.ahead; next != nil {
		r.ahead = nil
		return next, nil
	}
	cells, err := r.rows.Read()
	var wrong *csv.ParseError
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		line, _ := r.rows.FieldPos(0)
		return &csvRow{line: line, last: line, problem: &Problem{line, fmt.Sprintf("want %d cells as in line 1, not %d", len(r.at), len(cells))}}, nil
	case errors.As(err, &wrong):
		return &csvRow{line: wrong.StartLine, last: wrong.Line, problem: &Problem{wrong.StartLine, "want CSV: " + wrong.Err.Error()}}, nil
	case err != nil:
		return nil, err
	}
	line, _ := r.rows.FieldPos(0)
	last, _ := r.rows.FieldPos(len(cells) - 1)
	row := &csvRow{line: line, last: last + strings.Count(cells[len(cells)-1], "\n"), cells: cells}
	if slices.ContainsFunc(cells, func(c string) bool { return !utf8.ValidString(c) }) {
		row.problem = &Problem{line, "want UTF-8"}
	}
	return row, nil
}

func (r *csvReader) cell(row *csvRow, column string) string {
	if i, ok := r.at[column]; ok {
		return row.cells[i]
	}
	return ""
}

// Next reads the rows of the next product: those that follow each other with one slug. A row that can't be read may
// belong to the product before it or behind it, so neither is taken.
func (r *csvReader) Next() (*Unit, error) {
	first, err := r.row()
	if err != nil {
		return nil, err
	}
	unit := &Unit{Line: first.line}
	if r.doubtful != nil {
		unit.problem("the product is left out, since line %d may belong to it", r.doubtful.Line)
		r.doubtful = nil
	}
	for row := first; ; {
		unit.Last = row.last
		if row.problem != nil {
			unit.Problems = append(unit.Problems, *row.problem)
			r.doubtful = row.problem
			return unit, nil
		}
		r.add(unit, row)
		next, err := r.row()
		if errors.Is(err, io.EOF) {
			return unit, nil
		}
		if err != nil {
			return nil, err
		}
		if next.problem == nil && !r.belongs(next, first) {
			r.ahead = next
			return unit, nil
		}
		row = next
	}
}

// belongs reports whether a row is of the product whose first row is given: it has its slug, or says nothing of a product.
func (r *csvReader) belongs(row, first *csvRow) bool {
	slug, name := r.cell(row, "slug"), r.cell(row, "name")
	if slug == "" {
		return name == "" || r.cell(first, "slug") == "" && name == r.cell(first, "name")
	}
	return slug == r.cell(first, "slug")
}

// add reads a row of the unit: the product's columns of the first, and a variant of each.
func (r *csvReader) add(u *Unit, row *csvRow) {
	p := &u.Product
	own := []*string{&p.Slug, &p.Name, &p.Description, &p.Status, &p.Category, &p.Currency, &p.CreatedAt}
	for i, column := range columns[:productColumns] {
		cell := r.cell(row, column)
		var before string
		if i < len(own) {
			before = *own[i]
		} else {
			before = strings.Join(p.FormerSlugs, " ")
		}
		switch {
		case len(p.Variants) > 0 && cell != "" && cell != before:
			u.Problems = append(u.Problems, Problem{row.line, fmt.Sprintf("%s: want nothing, or the same as in line %d", column, u.Line)})
		case len(p.Variants) > 0:
		case i < len(own):
			*own[i] = cell
		default:
			p.FormerSlugs = strings.Fields(cell)
		}
	}
	v := Variant{SKU: r.cell(row, "sku"), Name: r.cell(row, "variant"), Price: r.cell(row, "price"), CompareAt: r.cell(row, "compare_at")}
	if weight := r.cell(row, "weight_grams"); weight != "" {
		n, err := strconv.Atoi(weight)
		if err != nil {
			u.Problems = append(u.Problems, Problem{row.line, fmt.Sprintf("weight_grams: want a whole number, not %.40q", weight)})
		}
		v.WeightGrams = &n
	}
	for i := 1; i <= maxOptionColumns; i++ {
		o := Option{r.cell(row, fmt.Sprint("option", i)), r.cell(row, fmt.Sprint("value", i))}
		if o != (Option{}) {
			v.Options = append(v.Options, o)
		}
	}
	p.Variants, u.VariantLines = append(p.Variants, v), append(u.VariantLines, row.line)
}

type csvWriter struct {
	rows    *csv.Writer
	options int
}

func newCSVWriter(w io.Writer, options int) (*csvWriter, error) {
	c := &csvWriter{csv.NewWriter(w), options}
	head := slices.Clone(columns)
	for i := 1; i <= options; i++ {
		head = append(head, fmt.Sprint("option", i), fmt.Sprint("value", i))
	}
	return c, c.rows.Write(head)
}

// Write writes a row for each variant; the product's columns are in the first, but for the slug.
func (w *csvWriter) Write(p *Product) error {
	own := []string{p.Slug, p.Name, p.Description, p.Status, p.Category, p.Currency, p.CreatedAt, strings.Join(p.FormerSlugs, " ")}
	for i, v := range p.Variants {
		if i == 1 {
			own = make([]string, productColumns)
			own[0] = p.Slug
		}
		weight := ""
		if v.WeightGrams != nil {
			weight = strconv.Itoa(*v.WeightGrams)
		}
		row := append(slices.Clone(own), v.SKU, v.Name, v.Price, v.CompareAt, weight)
		for j := range w.options {
			var o Option
			if j < len(v.Options) {
				o = v.Options[j]
			}
			row = append(row, o.Name, o.Value)
		}
		if err := w.rows.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes what is still held back.
func (w *csvWriter) Flush() error {
	w.rows.Flush()
	return w.rows.Error()
}
