package orders

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// schema gives each operation what its resolvers share.
type schema struct {
	graphql.ExecutableSchema
	s *Service
}

// Exec executes an operation.
func (x schema) Exec(ctx context.Context) graphql.ResponseHandler {
	responses, shared := x.ExecutableSchema.Exec(ctx), newLoads(x.s)
	return func(ctx context.Context) *graphql.Response {
		return responses(context.WithValue(ctx, loadsKey{}, shared))
	}
}

// loads is what the resolvers of one operation share: whoever makes a list of users or orders says whose things may be
// wanted, and the first demand reads them for all.
type loads struct {
	carts   load[*cart]
	history load[[]chapter]

	mu sync.Mutex
	// users are those whose orders may be wanted, and pages what was read of them: by filter and window.
	users []string
	pages map[string]*load[*gen.OrderConnection]
}

type loadsKey struct{}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return ctx.Value(loadsKey{}).(*loads) }

func newLoads(s *Service) *loads {
	l := &loads{pages: map[string]*load[*gen.OrderConnection]{}}
	l.carts.read = func(ctx context.Context, users []string) (map[string]*cart, error) {
		found, err := readCarts(ctx, s.db.Read, "user_id", users)
		carts := make(map[string]*cart, len(found))
		for _, c := range found {
			carts[c.UserID] = c
		}
		return carts, err
	}
	l.history.read = func(ctx context.Context, orders []string) (map[string][]chapter, error) {
		return readHistories(ctx, s.db.Read, orders)
	}
	return l
}

// listUsers says that the things of these users may be asked for.
func (l *loads) listUsers(users []string) {
	l.carts.want(users...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users = append(l.users, users...)
}

// page is the load of the pages of all listed users that are asked for alike.
func (l *loads) page(alike string, read func(ctx context.Context, users []string) (map[string]*gen.OrderConnection, error)) *load[*gen.OrderConnection] {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pages[alike]
	if p == nil {
		p = &load[*gen.OrderConnection]{read: read}
		p.want(l.users...)
		l.pages[alike] = p
	}
	return p
}

// load reads values by key, many at a time, once in an operation.
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
	if l.have == nil {
		l.have = map[string]V{}
	}
	for _, k := range keys {
		l.have[k] = values[k]
	}
	l.wanted = nil
	return l.have[key], nil
}
