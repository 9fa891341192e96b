package products

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// An import goes through a file unit by unit, a product with its variants each, and stores them in batches, a
// transaction each that also says how far the file is done. So one that is killed goes on behind its last batch, and one
// that is repeated changes nothing. Products are found by slug, by one that they had, or by their SKUs. What a file does
// not name stays: variants that were sold are never deleted.

// ImportConfig is how a file is imported.
type ImportConfig struct {
	// File names the content of the file, such as by its digest: an import of the same file that was interrupted is
	// resumed. Empty means that nothing is kept for that.
	File string
	// DryRun finds out what an import would do, and stores nothing.
	DryRun bool
	// Batch is how many products are stored in a transaction. Zero means 100.
	Batch int
	// Progress is called after each batch; nil for nobody.
	Progress func(ImportResult)
	// Refused is called for each thing that is wrong; nil for nobody.
	Refused func(feed.Problem)
}

// ImportResult counts products.
type ImportResult struct {
	// Line is the last line that is done.
	Line int
	// Resumed is the line behind which an interrupted import went on; 0 if there was none.
	Resumed                         int
	Created, Changed, Same, Refused int
}

// importer is an import that runs.
type importer struct {
	s      *Service
	cfg    ImportConfig
	result ImportResult
	seed   maphash.Seed
	// seen are the lines of the slugs and SKUs of the file, by hash: a second product must not claim them.
	seen map[uint64]int
}

// errDryRun ends the transactions of a dry run.
var errDryRun = errors.New("dry run")

// Import stores the products of a file. The error is one that ended the import; products that are refused are counted.
func (s *Service) Import(ctx context.Context, r feed.Reader, cfg ImportConfig) (ImportResult, error) {
	if cfg.Batch == 0 {
		cfg.Batch = 100
	}
	im := &importer{s: s, cfg: cfg, seed: maphash.MakeSeed(), seen: map[uint64]int{}}
	defer s.outbox.Wake()
	if err := im.resume(ctx); err != nil {
		return im.result, err
	}
	for {
		batch, end, err := im.read(r)
		if err != nil {
			return im.result, fmt.Errorf("import behind line %d: %w", im.result.Line, err)
		}
		begun := time.Now()
		if err := im.store(ctx, batch); err != nil {
			return im.result, fmt.Errorf("import behind line %d: %w", im.result.Line, err)
		}
		if cfg.Progress != nil {
			cfg.Progress(im.result)
		}
		if end {
			return im.result, im.finish(ctx)
		}
		// SQLite has no queue for its writers: a shop that is open gets its turn in the pause.
		select {
		case <-time.After(time.Since(begun) / 4):
		case <-ctx.Done():
			return im.result, ctx.Err()
		}
	}
}

// resume finds how far an import of the file has come.
func (im *importer) resume(ctx context.Context) error {
	if im.cfg.File == "" || im.cfg.DryRun {
		return nil
	}
	err := im.s.db.Read.GetContext(ctx, &im.result, `SELECT line, created, changed, same, refused FROM import_checkpoint WHERE file = $1`, im.cfg.File)
	if err != nil && !database.NoRows(err) {
		return fmt.Errorf("read checkpoint of import: %w", err)
	}
	im.result.Resumed = im.result.Line
	return nil
}

func (im *importer) finish(ctx context.Context) error {
	return im.s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM import_checkpoint WHERE file = $1`, im.cfg.File)
		return err
	})
}

// read reads the units of the next batch and checks each by itself. Those that are done are passed over.
func (im *importer) read(r feed.Reader) (batch []*incoming, end bool, err error) {
	for len(batch) < im.cfg.Batch {
		u, err := r.Next()
		if errors.Is(err, io.EOF) {
			return batch, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		in := readUnit(u)
		im.claim(in)
		if u.Last > im.result.Resumed {
			batch = append(batch, in)
		}
	}
	return batch, false, nil
}

// claim refuses a product whose slug or SKUs another product of the file has.
func (im *importer) claim(in *incoming) {
	take := func(line int, column, value string) {
		key := maphash.String(im.seed, column+value)
		if before := im.seen[key]; before > 0 {
			in.problem(line, "%s: want one that is not in line %d already, not %s", column, before, value)
			return
		}
		im.seen[key] = line
	}
	if len(in.problems) > 0 {
		return
	}
	for _, slug := range append([]string{in.slug}, in.unit.Product.FormerSlugs...) {
		take(in.unit.Line, "slug", slug)
	}
	for i, v := range in.variants {
		take(in.unit.VariantLines[i], "sku", v.SKU)
	}
}

// store stores a batch in a transaction, with how far the file is done by then.
func (im *importer) store(ctx context.Context, batch []*incoming) error {
	if len(batch) == 0 {
		return nil
	}
	if err := fault.Point("products.importing"); err != nil {
		return err
	}
	var result ImportResult
	var problems []feed.Problem
	err := im.s.race(ctx, func(tx *database.Tx) (err error) {
		result, problems = im.result, nil
		result.Line = batch[len(batch)-1].unit.Last
		problems, err = im.storeIn(ctx, tx, batch, &result)
		if err == nil && im.cfg.DryRun {
			return errDryRun
		}
		if err != nil || im.cfg.File == "" {
			return err
		}
		return im.checkpoint(ctx, tx, result)
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return err
	}
	im.result = result
	if im.cfg.Refused != nil {
		for _, p := range problems {
			im.cfg.Refused(p)
		}
	}
	return fault.Point("products.imported")
}

func (im *importer) checkpoint(ctx context.Context, tx *database.Tx, r ImportResult) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO import_checkpoint (file, line, created, changed, same, refused, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (file) DO UPDATE SET line = excluded.line, created = excluded.created, changed = excluded.changed,
			same = excluded.same, refused = excluded.refused, updated_us = excluded.updated_us`,
		im.cfg.File, r.Line, r.Created, r.Changed, r.Same, r.Refused, database.Micros(im.s.now()))
	if err != nil {
		return fmt.Errorf("write checkpoint of import: %w", err)
	}
	return nil
}
