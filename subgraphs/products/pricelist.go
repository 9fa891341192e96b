package products

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// A price list has prices in a currency for a channel of sale, in a window of time. Lists say what a variant costs there;
// ProductVariant.price, which carts and orders go by, is that of the catalogue itself.

// priceListID is the prefix of the ids of price lists.
const priceListID = "prl"

// listRow is a price list as it is stored.
type listRow struct {
	ID           string
	Name         string
	Currency     string
	Channel      string
	ValidFromUs  int64  `db:"valid_from_us"`
	ValidUntilUs *int64 `db:"valid_until_us"`
	Version      int64
	CreatedUs    int64 `db:"created_us"`
	UpdatedUs    int64 `db:"updated_us"`
}

// listColumns are those of listRow, of the table l.
const listColumns = `l.id, l.name, l.currency, l.channel, l.valid_from_us, l.valid_until_us, l.version, l.created_us, l.updated_us`

func (r *listRow) model() *gen.PriceList {
	m := &gen.PriceList{
		ID: r.ID, Name: r.Name, Currency: r.Currency, ValidFrom: database.Time(r.ValidFromUs), Version: int(r.Version),
		CreatedAt: database.Time(r.CreatedUs), UpdatedAt: database.Time(r.UpdatedUs),
	}
	if r.Channel != "" {
		m.Channel = &r.Channel
	}
	if r.ValidUntilUs != nil {
		until := database.Time(*r.ValidUntilUs)
		m.ValidUntil = &until
	}
	return m
}

// valid reports whether the list has an effect at an instant.
func (r *listRow) valid(at int64) bool {
	return r.ValidFromUs <= at && (r.ValidUntilUs == nil || at < *r.ValidUntilUs)
}

// listedPrice is a price of a variant in a list, or one that is scheduled: then the list has no id.
type listedPrice struct {
	VariantID string `db:"variant_id"`
	FromUs    int64  `db:"from_us"`
	Price     *int64
	CompareAt *int64 `db:"compare_at"`
	listRow
}

func (p *listedPrice) model() *gen.ListPrice {
	from := database.Time(p.FromUs)
	m := &gen.ListPrice{From: &from, Price: amount(p.Price, p.Currency), CompareAt: amount(p.CompareAt, p.Currency)}
	if p.ID != "" {
		m.List = p.listRow.model()
	}
	return m
}

// listedPrices are all prices of variants in lists and all that are scheduled, by variant, in the order of their
// beginning. One statement.
func (s *Service) listedPrices(ctx context.Context, variantIDs []string) (map[string][]listedPrice, error) {
	inLists, args := database.In(nil, variantIDs)
	inSchedule, args := database.In(args, variantIDs)
	var rows []listedPrice
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT lp.variant_id, lp.from_us, lp.price, lp.compare_at, `+listColumns+`
		FROM list_price lp JOIN price_list l ON l.id = lp.list_id WHERE lp.variant_id IN `+inLists+`
		UNION ALL
		SELECT d.variant_id, d.from_us, d.price, d.compare_at, '', '', v.currency, '', 0, NULL, 0, 0, 0
		FROM scheduled_price d JOIN variant v ON v.id = d.variant_id WHERE d.variant_id IN `+inSchedule, args...)
	if err != nil {
		return nil, fmt.Errorf("read prices in lists: %w", err)
	}
	slices.SortFunc(rows, func(a, b listedPrice) int {
		return cmp.Or(cmp.Compare(a.FromUs, b.FromUs), strings.Compare(a.ID, b.ID))
	})
	found := map[string][]listedPrice{}
	for _, r := range rows {
		found[r.VariantID] = append(found[r.VariantID], r)
	}
	return found, nil
}

// inEffect is what a variant costs in the lists of a currency for a channel at an instant, or nil. The prices are in the
// order of their beginning.
func inEffect(prices []listedPrice, currency, channel string, at int64) *listedPrice {
	last := map[string]*listedPrice{}
	for i := range prices {
		p := &prices[i]
		if p.ID != "" && p.FromUs <= at && p.valid(at) && p.Currency == currency && (p.Channel == "" || p.Channel == channel) {
			last[p.ID] = p
		}
	}
	var best *listedPrice
	for _, p := range last {
		if p.Price != nil && (best == nil || before(p, best)) {
			best = p
		}
	}
	return best
}

// before reports whether the list of a goes before that of b: one of a channel before one of all, and then the one that
// became valid last.
func before(a, b *listedPrice) bool {
	if (a.Channel == "") != (b.Channel == "") {
		return a.Channel != ""
	}
	return cmp.Or(cmp.Compare(b.ValidFromUs, a.ValidFromUs), strings.Compare(b.ID, a.ID)) < 0
}

// ListPrice resolves ProductVariant.listPrice.
func (variants) ListPrice(ctx context.Context, v *gen.ProductVariant, currency string, channel *string) (*gen.ListPrice, error) {
	if !money.ValidCurrency(currency) {
		return nil, subgraph.Errorf(subgraph.BadInput, "currency %q is no ISO 4217 code such as EUR", currency)
	}
	shared := sharedIn(ctx)
	prices, err := shared.priced.Get(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	asked := ""
	if channel != nil {
		asked = *channel
	}
	if p := inEffect(prices, currency, asked, shared.at); p != nil {
		return p.model(), nil
	}
	if v.Price.Currency != currency {
		return nil, nil
	}
	return &gen.ListPrice{Price: &v.Price, CompareAt: v.CompareAt}, nil
}

// ListPrices resolves ProductVariant.listPrices.
func (variants) ListPrices(ctx context.Context, v *gen.ProductVariant) ([]*gen.ListPrice, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	shared := sharedIn(ctx)
	prices, err := shared.priced.Get(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	models := []*gen.ListPrice{}
	for i := range prices {
		if prices[i].ID != "" || prices[i].FromUs > shared.at { // what has begun is the price itself
			models = append(models, prices[i].model())
		}
	}
	return models, nil
}

// PriceLists resolves Query.priceLists.
func (q queries) PriceLists(ctx context.Context) ([]*gen.PriceList, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	var rows []listRow
	if err := q.s.db.Read.SelectContext(ctx, &rows, `SELECT `+listColumns+` FROM price_list l ORDER BY l.valid_from_us DESC, l.id`); err != nil {
		return nil, fmt.Errorf("read price lists: %w", err)
	}
	models := make([]*gen.PriceList, len(rows))
	for i := range rows {
		models[i] = rows[i].model()
	}
	return models, nil
}
