package products

import (
	"context"
	"sync"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// loads is what the resolvers of one operation share: whoever makes a list says whose things may be wanted, and the
// first demand reads them for all. So there is neither a statement for each product nor a wait for others to ask.
type loads struct {
	// at is the instant whose prices the operation shows, all of them.
	at         int64
	variants   batch.Load[[]*gen.ProductVariant]
	products   batch.Load[*gen.Product]
	priced     batch.Load[[]listedPrice]
	categories func(ctx context.Context) (*tree, error)
	// generation is how often products had changed when the operation first asked.
	generation  func(ctx context.Context) (int64, error)
	connections sync.Map // *gen.ProductConnection to *listing
}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return batch.In[loads](ctx) }

func newLoads(s *Service) *loads {
	l := &loads{at: database.Micros(s.now())}
	l.variants.Read = func(ctx context.Context, products []string) (map[string][]*gen.ProductVariant, error) {
		read := func() (map[string][]*gen.ProductVariant, error) {
			return s.variantsOf(ctx, s.db.Read, l.at, products, visibleVariants(ctx))
		}
		if s.looksUp(ctx) {
			read = func() (map[string][]*gen.ProductVariant, error) { return s.variantsOfCached(ctx, l.at, products) }
		}
		found, err := read()
		for _, variants := range found {
			for _, v := range variants {
				l.priced.Want(v.ID)
			}
		}
		return found, err
	}
	l.priced.Read = s.listedPrices
	l.products.Read = func(ctx context.Context, ids []string) (map[string]*gen.Product, error) {
		return s.productsBy(ctx, ids, nil)
	}
	l.categories = onceRead(s.treeFor)
	l.generation = onceRead(s.generation)
	return l
}

// onceRead reads something once, unless that fails.
func onceRead[V any](read func(ctx context.Context) (V, error)) func(ctx context.Context) (V, error) {
	var mu sync.Mutex
	var value V
	var known bool
	return func(ctx context.Context) (V, error) {
		mu.Lock()
		defer mu.Unlock()
		var err error
		if !known {
			value, err = read(ctx)
			known = err == nil
		}
		return value, err
	}
}
