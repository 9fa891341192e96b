package users

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/internal/identity"
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

// loads is what the resolvers of one operation share: whoever makes a list of users says whose things may be
// wanted, and the first demand reads them for all.
type loads struct {
	accounts  load[*account]
	addresses load[[]address]
	sessions  load[[]session]
	// passwords says that the operation has tried one.
	passwords atomic.Bool
}

type loadsKey struct{}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return ctx.Value(loadsKey{}).(*loads) }

func newLoads(s *Service) *loads {
	l := &loads{}
	l.accounts.read, l.addresses.read, l.sessions.read = s.accountsByID, s.addressesOf, s.sessionsOf
	return l
}

// list says that the things of these users may be asked for: by whoever may see them.
func (l *loads) list(ctx context.Context, userIDs ...string) {
	who := identity.From(ctx)
	for _, userID := range userIDs {
		if who.May(userID, scopeRead) {
			l.addresses.want(userID)
			l.sessions.want(userID)
		}
	}
}

// load reads values by key, many at a time, once in an operation.
type load[V any] struct {
	// read returns the values of keys; those without a value may be left out.
	read func(ctx context.Context, keys []string) (map[string]V, error)

	mu     sync.Mutex
	wanted map[string]bool
	have   map[string]V
}

// want says that the value of a key may be asked for.
func (l *load[V]) want(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(key)
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

// forget drops what a command may have changed: all of it.
func (l *load[V]) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.have = nil
}

// get returns the value of key, or the zero value if it has none. It reads all that is wanted at once; others
// wait for that, since what they want is most likely part of it.
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
