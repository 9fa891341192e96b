package products

import (
	"context"
	"fmt"
	"strconv"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// The bounds of price lists.
const (
	maxChannel    = 50
	maxListPrices = 100 // in one command
)

// createList makes a price list and returns its id; a key that comes again gets the first one's.
func (s *Service) createList(ctx context.Context, input gen.PriceListCreateInput) (string, error) {
	var r refusals
	now := database.Micros(s.now())
	l := &listRow{ID: id.New(priceListID), Name: input.Name, Currency: input.Currency, ValidFromUs: now, Version: 1, CreatedUs: now, UpdatedUs: now}
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	if !money.ValidCurrency(input.Currency) {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "currency"}, "%q is no ISO 4217 code such as EUR", input.Currency)
	}
	if input.Channel != nil {
		if l.Channel = *input.Channel; !validSlug(l.Channel) || len(l.Channel) > maxChannel {
			r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "channel"}, "a channel has 1 to %d characters: words of a to z and digits, joined by hyphens", maxChannel)
		}
	}
	r.checkText(input.Name, maxName, "input", "name")
	l.apply(gen.PriceListUpdateInput{ValidFrom: input.ValidFrom, ValidUntil: input.ValidUntil})
	r.checkWindow(l)
	if err := r.err(); err != nil {
		return "", err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "priceListCreate", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO price_list (id, name, currency, channel, valid_from_us, valid_until_us, version, created_us, updated_us)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				l.ID, l.Name, l.Currency, l.Channel, l.ValidFromUs, l.ValidUntilUs, l.Version, l.CreatedUs, l.UpdatedUs)
			if err != nil {
				return "", fmt.Errorf("insert price list: %w", err)
			}
			return l.ID, s.outbox.Append(ctx, tx, listUpdated(l))
		})
	})
	s.outbox.Wake()
	return answer, err
}

func (r *listRow) apply(input gen.PriceListUpdateInput) {
	if input.Name != nil {
		r.Name = *input.Name
	}
	if input.ValidFrom != nil {
		r.ValidFromUs = database.Micros(*input.ValidFrom)
	}
	if input.ValidUntil != nil {
		until := database.Micros(*input.ValidUntil)
		r.ValidUntilUs = &until
	}
}

func (r *refusals) checkWindow(l *listRow) {
	if l.ValidUntilUs != nil && *l.ValidUntilUs <= l.ValidFromUs {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "validUntil"}, "it is not behind the beginning, %s", database.Time(l.ValidFromUs))
	}
}

// updateList changes what an input names of a price list, if it still has the version that the caller has seen.
func (s *Service) updateList(ctx context.Context, listID string, input gen.PriceListUpdateInput, expected *int) error {
	var r refusals
	if input.Name != nil {
		r.checkText(*input.Name, maxName, "input", "name")
	}
	if err := r.err(); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		l, err := lockList(ctx, tx, listID, expected, []string{"id"}, []string{"expectedVersion"})
		if err != nil {
			return err
		}
		was := l.data()
		l.apply(input)
		r.checkWindow(l)
		if err := r.err(); err != nil || was == l.data() {
			return err
		}
		return s.storeList(ctx, tx, l)
	})
	s.outbox.Wake()
	return err
}

// lockList is a price list, its row the transaction's.
func lockList(ctx context.Context, tx *database.Tx, listID string, expected *int, idField, versionField []string) (*listRow, error) {
	none := refused(gen.CatalogueErrorCodeNotFound, idField, "there is no such price list")
	if !id.Is(priceListID, listID) {
		return nil, none
	}
	var l listRow
	err := tx.GetContext(ctx, &l, `SELECT `+listColumns+` FROM price_list l WHERE l.id = $1`+tx.Dialect.ForUpdate(), listID)
	switch {
	case database.NoRows(err):
		return nil, none
	case err != nil:
		return nil, fmt.Errorf("read price list: %w", err)
	case expected != nil && int64(*expected) != l.Version:
		return nil, refused(gen.CatalogueErrorCodeVersionConflict, versionField, "the price list has version %d by now, not %d", l.Version, *expected)
	}
	return &l, nil
}

// storeList writes a price list that is the transaction's, in its next version, and tells of it.
func (s *Service) storeList(ctx context.Context, tx *database.Tx, l *listRow) error {
	l.Version++
	l.UpdatedUs = max(database.Micros(s.now()), l.UpdatedUs)
	_, err := tx.ExecContext(ctx, `
		UPDATE price_list SET name = $1, valid_from_us = $2, valid_until_us = $3, version = $4, updated_us = $5 WHERE id = $6`,
		l.Name, l.ValidFromUs, l.ValidUntilUs, l.Version, l.UpdatedUs, l.ID)
	if err != nil {
		return fmt.Errorf("store price list %s: %w", l.ID, err)
	}
	return s.outbox.Append(ctx, tx, listUpdated(l))
}

// setListPrices puts prices into a list; a key that comes again does nothing.
func (s *Service) setListPrices(ctx context.Context, input gen.PriceListPricesSetInput) error {
	if err := checkListPrices(input).err(); err != nil {
		return err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "priceListPricesSet", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) { return input.ListID, s.setListPricesIn(ctx, tx, input) })
	})
	s.outbox.Wake()
	return err
}

func checkListPrices(input gen.PriceListPricesSetInput) refusals {
	var r refusals
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	if n := len(input.Prices); n == 0 || n > maxListPrices {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "prices"}, "1 to %d prices are set at once, not %d", maxListPrices, n)
		return r
	}
	for i, p := range input.Prices {
		at := []string{"input", "prices", strconv.Itoa(i)}
		if p.Price != nil {
			r.checkPrice(*p.Price, below(at, "price")...)
			r.checkCompareAt(p.CompareAt, *p.Price, below(at, "compareAt")...)
		} else if p.CompareAt != nil {
			r.refuse(gen.CatalogueErrorCodeInvalidPrice, below(at, "compareAt"), "there is no price to compare with it")
		}
	}
	return r
}

func (s *Service) setListPricesIn(ctx context.Context, tx *database.Tx, input gen.PriceListPricesSetInput) error {
	l, err := lockList(ctx, tx, input.ListID, input.ExpectedVersion, []string{"input", "listId"}, []string{"input", "expectedVersion"})
	if err != nil {
		return err
	}
	var r refusals
	now := database.Micros(s.now())
	for i, p := range input.Prices {
		at := []string{"input", "prices", strconv.Itoa(i)}
		if p.Price != nil && p.Price.Currency != l.Currency {
			r.refuse(gen.CatalogueErrorCodeInvalidPrice, below(at, "price", "currency"), "the list has prices in %s", l.Currency)
			continue
		}
		refusal, err := setListPrice(ctx, tx, l, p, now)
		if err != nil {
			return err
		}
		if refusal != "" {
			r.refuse(gen.CatalogueErrorCodeNotFound, below(at, "variantId"), "%s", refusal)
		}
	}
	if err := r.err(); err != nil {
		return err
	}
	return s.storeList(ctx, tx, l)
}

// setListPrice stores one price of a list, and drops those that have ended. It returns why it can't, if it can't.
func setListPrice(ctx context.Context, tx *database.Tx, l *listRow, p *gen.ListPriceInput, now int64) (refusal string, err error) {
	if !id.Is(id.Variant, p.VariantID) {
		return "there is no such variant", nil
	}
	from := now
	if p.From != nil {
		from = database.Micros(*p.From)
	}
	var price *int64
	if p.Price != nil {
		price = &p.Price.MinorUnits
	}
	result, err := tx.ExecContext(ctx, `
		INSERT INTO list_price (variant_id, list_id, from_us, price, compare_at)
		SELECT v.id, $1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM variant v WHERE v.id = $5
		ON CONFLICT (variant_id, list_id, from_us) DO UPDATE SET price = excluded.price, compare_at = excluded.compare_at`,
		l.ID, from, price, minorUnits(p.CompareAt), p.VariantID)
	if err != nil {
		return "", fmt.Errorf("set price of variant %s in list %s: %w", p.VariantID, l.ID, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return "there is no such variant", err
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM list_price WHERE variant_id = $1 AND list_id = $2 AND from_us < (
			SELECT MAX(b.from_us) FROM list_price b WHERE b.variant_id = $3 AND b.list_id = $4 AND b.from_us <= $5)`,
		p.VariantID, l.ID, p.VariantID, l.ID, now)
	if err != nil {
		return "", fmt.Errorf("drop old prices of variant %s in list %s: %w", p.VariantID, l.ID, err)
	}
	var n int
	err = tx.GetContext(ctx, &n, `SELECT COUNT(*) FROM list_price WHERE variant_id = $1 AND list_id = $2`, p.VariantID, l.ID)
	if n > maxScheduled+1 {
		return fmt.Sprintf("a variant has %d scheduled prices at most in a list", maxScheduled), err
	}
	return "", err
}

// listData is what events tell of a price list.
type listData struct {
	ListID       string `json:"listId"`
	Name         string `json:"name"`
	Currency     string `json:"currency"`
	Channel      string `json:"channel"`
	ValidFromUs  int64  `json:"validFromUs"`
	ValidUntilUs int64  `json:"validUntilUs,omitempty"`
	Version      int64  `json:"version"`
}

func (r *listRow) data() listData {
	d := listData{ListID: r.ID, Name: r.Name, Currency: r.Currency, Channel: r.Channel, ValidFromUs: r.ValidFromUs, Version: r.Version}
	if r.ValidUntilUs != nil {
		d.ValidUntilUs = *r.ValidUntilUs
	}
	return d
}

// listUpdated tells of a price list that is new or has changed, or has other prices.
func listUpdated(l *listRow) event.Event {
	return event.New("agora.products.pricelist.updated.v1", l.ID, l.data())
}
