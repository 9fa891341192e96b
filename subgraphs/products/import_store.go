package products

import (
	"cmp"
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// stored is what the catalogue has of the products of a batch. Their rows are the transaction's.
type stored struct {
	tree     *tree
	products map[int64]*storedProduct
	// slugs and skus are whose they are, by product number.
	slugs, skus map[string]int64
}

type storedProduct struct {
	productRow
	variants []variantRow
}

// storedOf reads what belongs to the slugs and SKUs of a batch: five statements, however large it is.
func (s *Service) storedOf(ctx context.Context, tx *database.Tx, batch []*incoming) (*stored, error) {
	var slugs, skus []string
	for _, in := range batch {
		slugs = append(append(slugs, in.slug), in.unit.Product.FormerSlugs...)
		for _, v := range in.variants {
			skus = append(skus, v.SKU)
		}
	}
	st := &stored{products: map[int64]*storedProduct{}, slugs: map[string]int64{}, skus: map[string]int64{}}
	var err error
	if st.tree, err = s.tree(ctx, tx); err != nil {
		return nil, err
	}
	if err := owners(ctx, tx, st.slugs, `SELECT slug AS name, product_n AS n FROM product_slug WHERE slug IN `, slugs); err != nil {
		return nil, err
	}
	if err := owners(ctx, tx, st.skus, `SELECT sku AS name, product_n AS n FROM variant WHERE sku IN `, skus); err != nil {
		return nil, err
	}
	var numbers []int64
	for _, owned := range []map[string]int64{st.slugs, st.skus} {
		for _, n := range owned {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return st, nil
	}
	list, args := database.In(nil, numbers)
	var rows []productRow
	err = tx.SelectContext(ctx, &rows, `SELECT `+productColumns+` FROM product p WHERE p.n IN `+list+` ORDER BY p.n`+tx.Dialect.ForUpdate(), args...)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	byID := map[string]*storedProduct{}
	for _, r := range rows {
		p := &storedProduct{productRow: r}
		st.products[r.N], byID[r.ID] = p, p
	}
	list, args = database.In([]any{0}, numbers)
	var variants []variantRow
	err = tx.SelectContext(ctx, &variants, `SELECT `+variantColumns+` FROM `+variantTables+` WHERE p.n IN `+list+` ORDER BY p.n, v.position`, args...)
	if err != nil {
		return nil, fmt.Errorf("read variants: %w", err)
	}
	for _, v := range variants {
		byID[v.ProductID].variants = append(byID[v.ProductID].variants, v)
	}
	return st, nil
}

func owners(ctx context.Context, tx *database.Tx, into map[string]int64, query string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	list, args := database.In(nil, names)
	var rows []struct {
		Name string
		N    int64
	}
	if err := tx.SelectContext(ctx, &rows, query+list, args...); err != nil {
		return fmt.Errorf("look up slugs and SKUs: %w", err)
	}
	for _, r := range rows {
		into[r.Name] = r.N
	}
	return nil
}

// storeIn stores those of a batch that nothing is wrong with, and counts all.
func (im *importer) storeIn(ctx context.Context, tx *database.Tx, batch []*incoming, result *ImportResult) ([]feed.Problem, error) {
	st, err := im.s.storedOf(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	var problems []feed.Problem
	for _, in := range batch {
		wrong := in.problems
		if len(wrong) == 0 {
			wrong = st.check(in)
		}
		if len(wrong) > 0 {
			problems = append(problems, wrong...)
			result.Refused++
			continue
		}
		count := &result.Created
		if n := st.owner(in); n == 0 {
			err = im.s.importNew(ctx, tx, st, in)
		} else {
			var changed bool
			if changed, err = im.s.importChange(ctx, tx, st, st.products[n], in); changed {
				count = &result.Changed
			} else {
				count = &result.Same
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", in.unit.Line, err)
		}
		*count++
	}
	return problems, nil
}

// owner is the number of the product that is meant: the one that has or had the slug, else the one that has all the SKUs.
// It is 0 for a new one.
func (st *stored) owner(in *incoming) int64 {
	if n := st.slugs[in.slug]; n != 0 {
		return n
	}
	n := st.skus[in.variants[0].SKU]
	for _, v := range in.variants {
		if st.skus[v.SKU] != n {
			return 0
		}
	}
	return n
}

// check finds what is wrong with a product as the catalogue stands. It changes nothing.
func (st *stored) check(in *incoming) []feed.Problem {
	n, p := st.owner(in), &in.unit.Product
	checked := &incoming{unit: in.unit}
	for i, v := range in.variants {
		if other := st.skus[v.SKU]; other != 0 && other != n {
			checked.problem(in.unit.VariantLines[i], "sku: want one that no other product has: %s belongs to %s", v.SKU, st.products[other].Slug)
		}
	}
	for _, slug := range p.FormerSlugs {
		if other, taken := st.slugs[slug]; taken && other != n {
			checked.problem(in.unit.Line, "formerSlugs: want slugs that no other product has or had, not %s", slug)
		}
	}
	for i, step := range in.path {
		if st.tree.bySlug[step.slug] == nil && step.name == "" {
			checked.problem(in.unit.Line, "category: want the slug of a category, or a name for a new one as in %s:Name, not %s", step.slug, step.slug)
		}
		if have := st.tree.bySlug[step.slug]; have != nil && i > 0 && (have.ParentID == nil || st.tree.byID[*have.ParentID].Slug != in.path[i-1].slug) {
			checked.problem(in.unit.Line, "category: want the path to %s as it is: %s", step.slug, st.tree.path(have.ID))
		}
	}
	if n == 0 {
		return checked.problems
	}
	st.products[n].checkOptions(in, checked)
	total := len(in.variants)
	for _, have := range st.products[n].variants {
		if in.variant(have.SKU) != nil {
			continue
		}
		if total++; have.Currency != p.Currency {
			checked.problem(in.unit.Line, "currency: want %s as the product's other variants have, such as %s", have.Currency, have.SKU)
		}
	}
	if total > maxVariants {
		checked.problem(in.unit.Line, "variants: want %d at most, with those that the product has: not %d", maxVariants, total)
	}
	if have := st.products[n]; have.RepriceUs != nil && have.Currency != p.Currency {
		checked.problem(in.unit.Line, "currency: want %s as the product's scheduled prices have", have.Currency)
	}
	return checked.problems
}

func (in *incoming) variant(sku string) *incomingVariant {
	for i := range in.variants {
		if in.variants[i].SKU == sku {
			return &in.variants[i]
		}
	}
	return nil
}

// importCategory is the id of a product's category, which is made if there is none.
func (s *Service) importCategory(ctx context.Context, tx *database.Tx, st *stored, in *incoming) (string, error) {
	var parent *string
	for _, step := range in.path {
		if st.tree.bySlug[step.slug] == nil {
			c := &categoryRow{ID: id.Derived(id.Category, step.slug), Slug: step.slug, Name: step.name, ParentID: parent, Version: 1}
			if st.tree.byID[c.ID] != nil { // it has another slug by now
				c.ID = id.New(id.Category)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO category (id, slug, name, parent_id, version) VALUES ($1, $2, $3, $4, $5)`,
				c.ID, c.Slug, c.Name, c.ParentID, c.Version)
			if err == nil {
				err = s.outbox.Append(ctx, tx, categoryEvent("created", c))
			}
			if err != nil {
				return "", fmt.Errorf("insert category %s: %w", step.slug, err)
			}
			if st.tree, err = s.lockTree(ctx, tx); err != nil {
				return "", err
			}
		}
		parent = &st.tree.bySlug[step.slug].ID
	}
	return *parent, nil
}

// importNew stores a product that is new.
func (s *Service) importNew(ctx context.Context, tx *database.Tx, st *stored, in *incoming) error {
	category, err := s.importCategory(ctx, tx, st, in)
	if err != nil {
		return err
	}
	now := database.Micros(s.now())
	p := &newProduct{productRow: productRow{
		ID: id.New(id.Product), Slug: in.slug, Status: cmp.Or(in.status, draft), CategoryID: category, Version: 1,
		CreatedUs: cmp.Or(in.createdUs, now), UpdatedUs: now, Name: in.unit.Product.Name, Description: in.unit.Product.Description,
	}}
	for _, v := range in.variants {
		p.Variants = append(p.Variants, v.newVariant)
	}
	if err := s.insert(ctx, tx, st.tree, p); err != nil {
		return err
	}
	return st.takeSlugs(ctx, tx, in, p.N)
}

// takeSlugs keeps the slugs of a product of the file for it, so that the next one of the batch can't have them.
func (st *stored) takeSlugs(ctx context.Context, tx *database.Tx, in *incoming, n int64) error {
	for _, slug := range append([]string{in.slug}, in.unit.Product.FormerSlugs...) {
		if st.slugs[slug] == n {
			continue
		}
		if err := takeSlug(ctx, tx, slug, n); err != nil {
			return err
		}
		st.slugs[slug] = n
	}
	return nil
}

// importChange changes what the file says otherwise of a product than the catalogue, in one new version of it.
func (s *Service) importChange(ctx context.Context, tx *database.Tx, st *stored, p *storedProduct, in *incoming) (changed bool, err error) {
	if err := s.settle(ctx, tx, &p.productRow); err != nil {
		return false, err
	}
	if p.variants, err = variantsStored(ctx, tx, p.N); err != nil {
		return false, err
	}
	after, said := p.productRow, &in.unit.Product
	if after.CategoryID, err = s.importCategory(ctx, tx, st, in); err != nil {
		return false, err
	}
	after.rename(said.Name)
	after.Description, after.Status = said.Description, cmp.Or(in.status, after.Status)
	for _, slug := range append([]string{in.slug}, said.FormerSlugs...) {
		changed = changed || st.slugs[slug] != p.N
	}
	if st.slugs[in.slug] != p.N {
		after.Slug = in.slug
	}
	if err := st.takeSlugs(ctx, tx, in, p.N); err != nil {
		return false, err
	}
	store := s.store
	if p.optionsChange(in) { // the counts need the options as they were
		if err := count(ctx, tx, p.N, minus); err != nil {
			return false, err
		}
		store = s.storeUncounted
	}
	events, touched, err := p.importVariants(ctx, tx, in)
	if err != nil || !changed && !touched && after == p.productRow {
		return false, err
	}
	after.priceRange(p.variants)
	if err := store(ctx, tx, &after, events...); err != nil {
		return false, err
	}
	return true, s.reindex(ctx, tx, st.tree, &after)
}

// optionsChange reports whether the file has variants that are new, or options that are other than before.
func (p *storedProduct) optionsChange(in *incoming) bool {
	for i := range in.variants {
		have := variantBySKU(p.variants, in.variants[i].SKU)
		if have == nil || have.ArchivedUs != nil || have.Options != in.variants[i].options {
			return true
		}
	}
	return false
}

// importVariants stores the variants that are new or other than before, and leaves the rest.
func (p *storedProduct) importVariants(ctx context.Context, tx *database.Tx, in *incoming) (events []event.Event, touched bool, err error) {
	if err := freeOptions(ctx, tx, p.othersChosen(in)); err != nil {
		return nil, false, err
	}
	add := &newProduct{productRow: p.productRow}
	for i := range in.variants {
		v := &in.variants[i]
		have := variantBySKU(p.variants, v.SKU)
		if have == nil {
			add.Variants = append(add.Variants, v.newVariant)
			events = append(events, variantCreated(p.ID, &v.newVariant))
			continue
		}
		was := *have
		have.Name, have.Options, have.WeightGrams, have.ArchivedUs = v.Name, v.options, v.WeightGrams, nil
		have.Price, have.Currency, have.CompareAt = v.Price.MinorUnits, v.Price.Currency, v.CompareAt
		if have.equal(&was) {
			continue
		}
		if touched = true; have.Options != was.Options || was.ArchivedUs != nil {
			have.OptionsKey = optionsKey(v.Options)
		}
		if err := changeVariant(ctx, tx, p.N, have, v.Options); err != nil {
			return nil, false, err
		}
		if was.ArchivedUs != nil {
			events = append(events, variantUpdated(have, p.Version+1))
		}
		if have.Price != was.Price || have.Currency != was.Currency || !equal(have.CompareAt, was.CompareAt) {
			events = append(events, variantPriced(have, money.New(was.Price, was.Currency), p.Version+1))
		}
	}
	if len(add.Variants) == 0 {
		return events, touched, nil
	}
	if err := insertVariants(ctx, tx, add, len(p.variants)); err != nil {
		return nil, false, fmt.Errorf("insert variants of product %s: %w", p.ID, err)
	}
	p.variants, err = variantsStored(ctx, tx, p.N)
	return events, true, err
}

func variantBySKU(rows []variantRow, sku string) *variantRow {
	for i := range rows {
		if rows[i].SKU == sku {
			return &rows[i]
		}
	}
	return nil
}

// equal reports whether two rows of a variant say the same.
func (r *variantRow) equal(o *variantRow) bool {
	return equal(r.WeightGrams, o.WeightGrams) && equal(r.ArchivedUs, o.ArchivedUs) && r.Name == o.Name && r.Options == o.Options && r.Price == o.Price && r.Currency == o.Currency && equal(r.CompareAt, o.CompareAt)
}
