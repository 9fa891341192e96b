package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// How often each thing is asked, how deep into lists, and how much memory all services may take.
const (
	paceAsked  = 200
	pacePage   = 500
	paceLength = 20
	paceMemory = 400 << 20
)

// paceCatalogue asks a shop in one process with many products, on SQLite, what shoppers ask. It fails if page 500 of a
// list takes more than twice as long as page 1, or if all services together take too much memory.
func paceCatalogue(ctx context.Context, cfg *config) (string, error) {
	s, err := cfg.newStand(ctx, "sqlite", "catalogue")
	if err != nil {
		return "", err
	}
	if err := s.fill(ctx); err != nil {
		return "", err
	}
	p, err := s.open()
	if err != nil {
		return "", err
	}
	defer p.interrupt()
	if err := s.told(ctx); err != nil {
		return "", err
	}
	filled, err := p.peakMemory()
	if err != nil {
		return "", err
	}
	p.interrupt()
	if p, err = s.open(); err != nil { // as it is on any other day
		return "", err
	}
	defer p.interrupt()
	lines, failed := client{url: p.url}.browse(ctx, catalogue.Generate(cfg.products))
	peak, err := p.peakMemory()
	lines = append(lines, fmt.Sprintf("memory of all five services, their provider and the router: %d MB at most, %d MB while stock is made for all of it", peak>>20, filled>>20))
	if peak > paceMemory || filled > paceMemory {
		failed = errors.Join(failed, fmt.Errorf("it is more than %d MB", paceMemory>>20))
	}
	return fmt.Sprintf("%d products\n", cfg.products) + strings.Join(lines, "\n"), errors.Join(failed, err)
}

// fill opens a shop once, and imports all products into it.
func (s *stand) fill(ctx context.Context) error {
	p, err := s.open()
	if err != nil {
		return err
	}
	p.interrupt()
	file := filepath.Join(s.folder, "catalogue.jsonl")
	if err := writeCatalogue(file, catalogue.Generate(s.products)); err != nil {
		return err
	}
	imported := exec.CommandContext(ctx, s.agora, "catalogue", "import", file, "--data", s.data[1], "--batch", "1000")
	if out, err := imported.CombinedOutput(); err != nil {
		return fmt.Errorf("import: %w\n%s", err, out[max(0, len(out)-2000):])
	}
	return nil
}

// slugOf is the slug of a name.
func slugOf(name string) string { return strings.Join(words.Split(name), "-") }

// writeCatalogue writes a file of all products.
func writeCatalogue(path string, products []catalogue.Product) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffer := bufio.NewWriter(file)
	writer, err := feed.NewWriter(buffer, feed.JSONL, 0)
	if err != nil {
		return err
	}
	for _, p := range products {
		out := feed.Product{Slug: slugOf(p.Name), Name: p.Name, Description: p.Description, Status: "ACTIVE", Category: slugOf(p.Category), Currency: "EUR"}
		for _, v := range p.Variants {
			variant := feed.Variant{SKU: v.SKU, Name: v.Name, Price: fmt.Sprintf("%d.%02d", v.Price/100, v.Price%100), WeightGrams: &v.WeightGrams}
			for _, o := range v.Options {
				variant.Options = append(variant.Options, feed.Option{Name: o.Name, Value: o.Value})
			}
			out.Variants = append(out.Variants, variant)
		}
		if err := writer.Write(&out); err != nil {
			return err
		}
	}
	return errors.Join(writer.Flush(), buffer.Flush())
}

// told waits until all services have heard of all products.
func (s *stand) told(ctx context.Context) error {
	db, err := database.View("sqlite:" + filepath.Join(s.data[1], "products.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		var left int
		if err := db.Read.GetContext(ctx, &left, `SELECT COUNT(*) FROM outbox WHERE published_us IS NULL`); err != nil || left == 0 {
			return err
		}
		if !wait(ctx, time.Second) {
			return ctx.Err()
		}
	}
}

// peakMemory is the most that a program has had in memory since it began.
func (p *program) peakMemory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the system does not say how much memory a program has had")
}

const listQuery = `query List($q: String, $after: String, $n: Int, $sort: ProductSort) {
	products(query: $q, first: $n, after: $after, sort: $sort) { edges { node { name slug priceRange { min { minorUnits } } } } pageInfo { endCursor hasNextPage } } }`

const facetQuery = `query Facets($q: String) { products(query: $q, first: 20) { totalCount facets { key values { value count } } edges { node { name slug } } } }`

// shopper asks as shoppers do, and notes what it takes.
type shopper struct {
	client
	products []catalogue.Product
	lines    []string
}

// browse asks everything, and says what it took.
func (c client) browse(ctx context.Context, products []catalogue.Product) ([]string, error) {
	s := &shopper{client: c, products: products}
	known := s.some().Name
	for _, q := range []struct {
		name, query string
		times       int
		variables   func() map[string]any
	}{
		{"a product page that nobody has asked for", pageQuery, paceAsked, func() map[string]any { return map[string]any{"product": slugOf(s.some().Name)} }},
		{"a product page", pageQuery, paceAsked, func() map[string]any { return map[string]any{"product": slugOf(known)} }},
		{"a search for two words", listQuery, paceAsked, func() map[string]any {
			words := strings.Fields(s.some().Name)
			return map[string]any{"q": words[0] + " " + words[len(words)-1], "n": paceLength}
		}},
		{"a search for a word that many have", listQuery, paceAsked, func() map[string]any { return map[string]any{"q": "bicycle", "n": paceLength} }},
		{"a search for a word that all have, with facets", facetQuery, 5, func() map[string]any { return map[string]any{"q": "the"} }},
		{"a search for a word that many have, with facets", facetQuery, 5, func() map[string]any { return map[string]any{"q": "copper"} }},
	} {
		took := make([]time.Duration, q.times)
		for i := range took {
			var err error
			if took[i], err = s.ask(ctx, q.query, q.variables()); err != nil {
				return s.lines, fmt.Errorf("%s: %w", q.name, err)
			}
		}
		s.note(q.name, took)
	}
	return s.lines, errors.Join(
		s.page(ctx, "all products by age", map[string]any{"sort": map[string]any{"by": "NEWEST"}}),
		s.page(ctx, "a search for a word that all have", map[string]any{"q": "the"}))
}

func (s *shopper) some() catalogue.Product { return s.products[rand.IntN(len(s.products))] }

// ask sends a query, and says how long the answer took.
func (s *shopper) ask(ctx context.Context, query string, variables map[string]any) (time.Duration, error) {
	begun := time.Now()
	data, err := s.send(ctx, query, variables)
	took := time.Since(begun)
	if err == nil && at(data, "product") == nil && at(data, "products") == nil {
		err = fmt.Errorf("%v is not found", variables)
	}
	return took, err
}

// note says what something took, and returns the half time.
func (s *shopper) note(name string, took []time.Duration) time.Duration {
	first, half := took[0], quantile(took, 0.5)
	s.lines = append(s.lines, fmt.Sprintf("%s: %.2f ms, %.2f ms for 99 of 100, %.2f ms the first time (%d times)",
		name, milliseconds(half), milliseconds(quantile(took, 0.99)), milliseconds(first), len(took)))
	return half
}

// page compares the first page of a list with a late one: they are asked for in turns.
func (s *shopper) page(ctx context.Context, name string, list map[string]any) error {
	first, last := map[string]any{"n": paceLength}, map[string]any{"n": paceLength}
	maps.Copy(first, list)
	maps.Copy(last, list)
	number := 1
	for number < pacePage {
		data, err := s.send(ctx, listQuery, last)
		if err != nil {
			return err
		}
		if at(data, "products.pageInfo.hasNextPage") != true {
			break
		}
		last["after"] = text(data, "products.pageInfo.endCursor")
		number++
	}
	took := map[int][]time.Duration{}
	for range paceAsked {
		for n, variables := range []map[string]any{first, last} {
			one, err := s.ask(ctx, listQuery, variables)
			if err != nil {
				return err
			}
			took[n] = append(took[n], one)
		}
	}
	before := s.note("page 1 of "+name, took[0])
	after := s.note(fmt.Sprintf("page %d of %s", number, name), took[1])
	if after > 2*before {
		return fmt.Errorf("page %d of %s takes %.1f times as long as page 1", number, name, after.Seconds()/before.Seconds())
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
