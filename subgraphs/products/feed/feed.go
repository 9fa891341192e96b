// Package feed is a catalogue as a file, to be read and written one product at a time: JSON lines with a product each,
// or CSV with a row for each variant, where the rows of a product stand together.
//
// A product with its variants is one unit. What is wrong with any of its lines is wrong with the product, and is told
// with the line; the products around it are read nevertheless.
package feed

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf is the format that a file's name ends in.
func FormatOf(name string) (Format, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	}
	return "", fmt.Errorf("%s: want a name that ends in .csv, .jsonl or .ndjson, or the format", filepath.Base(name))
}

// Product is a product with its variants. Amounts are in major units, exact, such as "21.00".
type Product struct {
	// Slug is the key of the product. Empty means the one that the name makes.
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Status is DRAFT, ACTIVE or ARCHIVED. Empty means DRAFT for a new product, and what it is for another.
	Status string `json:"status,omitempty"`
	// Category is the path to the category, such as "kitchen:Kitchen > kettles:Kettles": the slug and the name of each.
	// The last slug is enough for a category that there is.
	Category string `json:"category"`
	// Currency is that of all prices.
	Currency string `json:"currency"`
	// CreatedAt is when the product was made, by RFC 3339, for products that are new. Empty means now.
	CreatedAt string `json:"createdAt,omitempty"`
	// FormerSlugs find the product too.
	FormerSlugs []string  `json:"formerSlugs,omitempty"`
	Variants    []Variant `json:"variants"`
}

// Variant is what can be bought of a product.
type Variant struct {
	// SKU is the key of the variant.
	SKU         string   `json:"sku"`
	Name        string   `json:"name"`
	Price       string   `json:"price"`
	CompareAt   string   `json:"compareAt,omitempty"`
	WeightGrams *int     `json:"weightGrams,omitempty"`
	Options     []Option `json:"options,omitempty"`
}

// Option is what tells variants apart.
type Option struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Problem is what is wrong with a line, and what was expected.
type Problem struct {
	Line    int
	Message string
}

// String is for people: "line 7: …".
func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Message) }

// Unit is a product as it stands in a file.
type Unit struct {
	// Line is where it begins and Last where it ends, counted from 1.
	Line, Last int
	// Product is what was read; without meaning if there are problems.
	Product Product
	// VariantLines are the lines of the variants.
	VariantLines []int
	Problems     []Problem
}

// Reader reads the units of a file.
type Reader interface {
	// Next returns the next unit, or io.EOF behind the last. Other errors end the file: it can't be read on.
	Next() (*Unit, error)
}

// NewReader returns a reader of a file in a format. An error says what is wrong with its head.
func NewReader(r io.Reader, format Format) (Reader, error) {
	switch format {
	case CSV:
		return newCSVReader(r)
	case JSONL:
		return newJSONReader(r), nil
	}
	return nil, fmt.Errorf("format %q: want csv or jsonl", format)
}

// Writer writes products.
type Writer interface {
	Write(p *Product) error
	// Flush writes what is still held back.
	Flush() error
}

// NewWriter returns a writer. Options is the greatest number of options that a variant has.
func NewWriter(w io.Writer, format Format, options int) (Writer, error) {
	switch format {
	case CSV:
		return newCSVWriter(w, options)
	case JSONL:
		return newJSONWriter(w), nil
	}
	return nil, fmt.Errorf("format %q: want csv or jsonl", format)
}

var errAmount = errors.New("want an amount such as 21.00")

// ParseAmount reads an amount in major units of a currency with some digits behind the point, such as "21.00" or "21",
// into minor units.
func ParseAmount(s string, digits int) (int64, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" {
		return 0, errAmount
	}
	if len(fraction) > digits {
		return 0, fmt.Errorf("want an amount with %d digits behind the point at most", digits)
	}
	n := int64(0)
	for _, c := range whole + fraction + strings.Repeat("0", digits-len(fraction)) {
		if c < '0' || c > '9' {
			return 0, errAmount
		}
		if n > (1<<62)/10 {
			return 0, errors.New("want a smaller amount")
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}
