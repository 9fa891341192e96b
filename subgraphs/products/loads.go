package products

import (
	"context"
	"sync"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// loads is what the resolvers of one operation share: whoever makes a list says whose things may be wanted, and the
// first demand reads them for all. So there is neither a statement for each product nor a wait for others to ask.
type loads struct {
	// at is the instant whose prices the operation shows, all of them.
	at         int64
	variants   load[[]*gen.ProductVariant]
	products   load[*gen.Product]
	priced     load[[]listedPrice]
	categories func(ctx context.Context) (*tree, error)
	// generation is how often products had changed when the operation first asked.
	generation  func(ctx context.Context) (int64, error)
	connections sync.Map // *gen.ProductConnection to *listing
}

type loadsKey struct{}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return ctx.Value(loadsKey{}).(*loads) }

func newLoads(s *Service) *loads {
	l := &loads{at: database.Micros(s.now())}
	l.variants.read = func(ctx context.Context, products []string) (map[string][]*gen.ProductVariant, error) {
		found, err := s.variantsOf(ctx, s.db.Read, l.at, products)
		for _, variants := range found {
			for _, v := range variants {
				l.priced.want(v.ID)
			}
		}
		return found, err
	}
	l.priced.read = s.listedPrices
	l.products.read = func(ctx context.Context, ids []string) (map[string]*gen.Product, error) {
		return s.productsBy(ctx, ids, nil)
	}
	l.categories = onceRead(func(ctx context.Context) (*tree, error) { return s.tree(ctx, s.db.Read) })
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

// load reads values by key, many at a time.
type load[V any] struct {
	// read returns the values of keys; those without a value may be left out.
	read func(ctx context.Context, keys []string) (map[string]V, error)

	mu     sync.Mutex
	wanted map[string]bool
	have   map[string]V
}

// want says that the values of keys may be asked for.
func (l *load[V]) want(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		l.add(key)
	}
}

func (l *load[V]) add(key string) {
	if _, ok := l.have[key]; ok {
		return
	}
	if l.wanted == nil {
		l.wanted = map[string]bool{}
	}
	l.wanted[key] = true
}

// put gives a value that is known already.
func (l *load[V]) put(key string, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(key, value)
}

func (l *load[V]) keep(key string, value V) {
	if l.have == nil {
		l.have = map[string]V{}
	}
	l.have[key] = value
	delete(l.wanted, key)
}

// forget drops what a command has changed.
func (l *load[V]) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.have, key)
}

// get returns the value of key, or the zero value if it has none. It reads all that is wanted at once; others wait for
// that, since what they want is most likely part of it.
func (l *load[V]) get(ctx context.Context, key string) (V, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if value, ok := l.have[key]; ok {
		return value, nil
	}
	l.add(key)
	keys := make([]string, 0, len(l.wanted))
	for k := range l.wanted {
		keys = append(keys, k)
	}
	values, err := l.read(ctx, keys)
	if err != nil {
		var none V
		return none, err
	}
	for _, k := range keys {
		l.keep(k, values[k])
	}
	return l.have[key], nil
}
