// Package batch lets the resolvers of one GraphQL operation read many things at a time: whoever makes a list says whose
// things may be wanted, and the first demand reads them for all. So there is neither a statement for each element of a list nor a
// wait for others to ask.
//
// Load does this for one kind of thing; Share gives each operation a set of loads of its own, and In finds it.
package batch

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// Load reads values by key, many at a time, each once in an operation. It is safe for concurrent use.
type Load[V any] struct {
	// Read returns the values of keys; those without a value may be left out.
	Read func(ctx context.Context, keys []string) (map[string]V, error)

	mu     sync.Mutex
	wanted map[string]bool
	have   map[string]V
}

// Want says that the values of keys may be asked for.
func (l *Load[V]) Want(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		l.add(key)
	}
}

func (l *Load[V]) add(key string) {
	if _, ok := l.have[key]; ok {
		return
	}
	if l.wanted == nil {
		l.wanted = map[string]bool{}
	}
	l.wanted[key] = true
}

// Put gives a value that is known already.
func (l *Load[V]) Put(key string, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(key, value)
}

func (l *Load[V]) keep(key string, value V) {
	if l.have == nil {
		l.have = map[string]V{}
	}
	l.have[key] = value
	delete(l.wanted, key)
}

// Forget drops what a command has changed.
func (l *Load[V]) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.have, key)
}

// ForgetAll drops everything: a command may have changed any of it.
func (l *Load[V]) ForgetAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.have = nil
}

// Get returns the value of key, or the zero value if it has none. It reads all that is wanted at once; others wait for
// that, since what they want is most likely part of it.
func (l *Load[V]) Get(ctx context.Context, key string) (V, error) {
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
	values, err := l.Read(ctx, keys)
	if err != nil {
		var none V
		return none, err
	}
	for _, k := range keys {
		l.keep(k, values[k])
	}
	return l.have[key], nil
}

// Share is a schema whose operations each have what make makes, for In to find.
func Share[L any](schema graphql.ExecutableSchema, make func() *L) graphql.ExecutableSchema {
	return shared[L]{schema, make}
}

// In is what the operation that ctx belongs to shares.
func In[L any](ctx context.Context) *L { return ctx.Value(key[L]{}).(*L) }

// With is ctx with what In finds, for work outside an operation.
func With[L any](ctx context.Context, l *L) context.Context {
	return context.WithValue(ctx, key[L]{}, l)
}

type key[L any] struct{}

type shared[L any] struct {
	graphql.ExecutableSchema
	make func() *L
}

// Exec executes an operation.
func (s shared[L]) Exec(ctx context.Context) graphql.ResponseHandler {
	responses, l := s.ExecutableSchema.Exec(ctx), s.make()
	return func(ctx context.Context) *graphql.Response { return responses(With(ctx, l)) }
}
