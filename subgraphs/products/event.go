package products

import (
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// All events of a product and of its variants have the product as their subject, so that they arrive in order.

// productData is what events tell of a product.
type productData struct {
	ProductID  string `json:"productId"`
	Slug       string `json:"slug"`
	Name       string `json:"name"`
	Status     string `json:"status"`
	CategoryID string `json:"categoryId"`
	Version    int64  `json:"version"`
}

func (r *productRow) data() productData {
	return productData{r.ID, r.Slug, r.Name, r.Status, r.CategoryID, r.Version}
}

func created(r *productRow) event.Event {
	return event.New("agora.products.product.created.v1", r.ID, r.data())
}

func updated(r *productRow) event.Event {
	return event.New("agora.products.product.updated.v1", r.ID, r.data())
}

// variantData is what events tell of a variant that is new.
type variantData struct {
	VariantID string `json:"variantId"`
	SKU       string `json:"sku"`
	ProductID string `json:"productId"`
}

func variantCreated(productID string, v *newVariant) event.Event {
	return event.New("agora.products.variant.created.v1", productID, variantData{v.ID, v.SKU, productID})
}

// variantUpdated tells of a variant that is otherwise now, or no longer for sale; version is that of the product.
func variantUpdated(v *variantRow, version int64) event.Event {
	status := gen.VariantStatusActive
	if v.ArchivedUs != nil {
		status = gen.VariantStatusArchived
	}
	return event.New("agora.products.variant.updated.v1", v.ProductID, struct {
		VariantID string            `json:"variantId"`
		SKU       string            `json:"sku"`
		ProductID string            `json:"productId"`
		Name      string            `json:"name"`
		Status    gen.VariantStatus `json:"status"`
		Version   int64             `json:"version"`
	}{v.ID, v.SKU, v.ProductID, v.Name, status, version})
}

// categoryEvent tells that a category is created, updated or deleted.
func categoryEvent(what string, c *categoryRow) event.Event {
	return event.New("agora.products.category."+what+".v1", c.ID, struct {
		CategoryID string  `json:"categoryId"`
		Slug       string  `json:"slug"`
		Name       string  `json:"name"`
		ParentID   *string `json:"parentId"`
		Version    int64   `json:"version"`
	}{c.ID, c.Slug, c.Name, c.ParentID, c.Version})
}

// variantPriced tells of a new price; version is that of the product.
func variantPriced(v *variantRow, was money.Money, version int64) event.Event {
	return event.New("agora.products.variant.priced.v1", v.ProductID, struct {
		VariantID string      `json:"variantId"`
		SKU       string      `json:"sku"`
		ProductID string      `json:"productId"`
		Price     money.Money `json:"price"`
		Was       money.Money `json:"was"`
		Version   int64       `json:"version"`
	}{v.ID, v.SKU, v.ProductID, money.New(v.Price, v.Currency), was, version})
}
