package products

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// incoming is a product of a file that has been checked by itself.
type incoming struct {
	unit      *feed.Unit
	slug      string
	status    string
	path      []pathStep
	createdUs int64
	variants  []incomingVariant
	problems  []feed.Problem
}

type incomingVariant struct {
	newVariant
	// options are those of the new variant, as they are stored.
	options string
}

func (in *incoming) problem(line int, format string, args ...any) {
	in.problems = append(in.problems, feed.Problem{Line: line, Message: fmt.Sprintf(format, args...)})
}

// readUnit checks a unit as productCreate checks its input.
func readUnit(u *feed.Unit) *incoming {
	in := &incoming{unit: u, problems: u.Problems}
	if len(in.problems) > 0 {
		return in
	}
	p := &u.Product
	in.slug, in.status = cmp.Or(p.Slug, slugOf(p.Name)), p.Status
	if in.slug == "" {
		in.problem(u.Line, "slug: want words of a to z and digits, joined by hyphens: none can be made of the name")
	}
	if in.status != "" && !gen.ProductStatus(in.status).IsValid() {
		in.problem(u.Line, "status: want DRAFT, ACTIVE, ARCHIVED or nothing, not %.40q", in.status)
	}
	if !money.ValidCurrency(p.Currency) {
		in.problem(u.Line, "currency: want an ISO 4217 code such as EUR, not %.40q", p.Currency)
	}
	for _, slug := range p.FormerSlugs {
		if !validSlug(slug) {
			in.problem(u.Line, "formerSlugs: want slugs of a to z and digits, joined by hyphens, not %.40q", slug)
		}
	}
	if p.CreatedAt != "" {
		at, err := time.Parse(time.RFC3339Nano, p.CreatedAt)
		if in.createdUs = database.Micros(at); err != nil {
			in.problem(u.Line, "createdAt: want a time such as 2026-11-23T10:00:00Z, not %.40q", p.CreatedAt)
		}
	}
	in.readPath(p.Category)
	in.readVariants()
	return in
}

// readVariants reads the amounts, and has everything checked that productCreate would check.
func (in *incoming) readVariants() {
	p := &in.unit.Product
	input := gen.ProductCreateInput{Name: p.Name, Description: p.Description, IdempotencyKey: "import"}
	if in.slug != "" {
		input.Slug = &in.slug
	}
	for i := range p.Variants {
		v := &p.Variants[i]
		variant := &gen.VariantInput{
			Sku: v.SKU, Name: v.Name, WeightGrams: v.WeightGrams, Price: *in.amount(i, "price", v.Price),
		}
		if v.CompareAt != "" {
			variant.CompareAt = in.amount(i, "compareAt", v.CompareAt)
		}
		for _, o := range v.Options {
			variant.Options = append(variant.Options, &gen.SelectedOptionInput{Name: o.Name, Value: o.Value})
		}
		input.Variants = append(input.Variants, variant)
	}
	if len(in.problems) > 0 {
		return // what can't be read would be refused again
	}
	for _, r := range checkCreate(input) {
		line, field := in.unit.Line, r.Field[1:]
		if len(field) > 2 && field[0] == "variants" {
			i, _ := strconv.Atoi(field[1])
			line, field = in.unit.VariantLines[i], field[2:]
		}
		in.problem(line, "%s: %s", strings.Join(field, "."), r.Message)
	}
	for _, v := range input.Variants {
		made := incomingVariant{newVariant: variantOf(v)}
		options, err := json.Marshal(made.Options)
		if err != nil {
			panic(err) // strings are always encodable
		}
		made.options = string(options)
		in.variants = append(in.variants, made)
	}
}

// amount reads an amount of the variant i in major units.
func (in *incoming) amount(i int, column, s string) *gen.MoneyInput {
	currency := in.unit.Product.Currency
	n, err := feed.ParseAmount(s, money.Digits(currency))
	if err != nil {
		in.problem(in.unit.VariantLines[i], "%s: %v, not %.40q", column, err, s)
	}
	return &gen.MoneyInput{MinorUnits: n, Currency: currency}
}

// pathStep is a category on the path to another.
type pathStep struct{ slug, name string }

// pathSeparator joins the steps of a path. A name must not contain it.
const pathSeparator = " > "

// readPath reads the path of a category, such as "kitchen:Kitchen > kettles:Kettles".
func (in *incoming) readPath(path string) {
	for _, step := range strings.Split(path, pathSeparator) {
		slug, name, _ := strings.Cut(strings.TrimSpace(step), ":")
		if !validSlug(slug) || len(name) > maxName || slices.ContainsFunc([]rune(name), hidden) {
			in.problem(in.unit.Line, "category: want a path such as kitchen:Kitchen > kettles:Kettles, or the slug of a category, not %.80q", path)
			return
		}
		in.path = append(in.path, pathStep{slug, name})
	}
}

// path writes the path to a category.
func (t *tree) path(id string) string {
	var steps []string
	for _, c := range append(t.ancestors(id), t.byID[id]) {
		steps = append(steps, c.Slug+":"+c.Name)
	}
	return strings.Join(steps, pathSeparator)
}
