package orders

import (
	"context"
	"sync"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// loads is what the resolvers of one operation share: whoever makes a list of users or orders says whose things may be
// wanted, and the first demand reads them for all.
type loads struct {
	carts   batch.Load[*cart]
	history batch.Load[[]chapter]

	mu sync.Mutex
	// users are those whose orders may be wanted, and pages what was read of them: by filter and window.
	users []string
	pages map[string]*batch.Load[*gen.OrderConnection]
}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return batch.In[loads](ctx) }

func newLoads(s *Service) *loads {
	l := &loads{pages: map[string]*batch.Load[*gen.OrderConnection]{}}
	l.carts.Read = func(ctx context.Context, users []string) (map[string]*cart, error) {
		found, err := readCarts(ctx, s.db.Read, "user_id", users)
		carts := make(map[string]*cart, len(found))
		for _, c := range found {
			carts[c.UserID] = c
		}
		return carts, err
	}
	l.history.Read = func(ctx context.Context, orders []string) (map[string][]chapter, error) {
		return readHistories(ctx, s.db.Read, orders)
	}
	return l
}

// listUsers says that the things of these users may be asked for.
func (l *loads) listUsers(users []string) {
	l.carts.Want(users...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users = append(l.users, users...)
}

// page is the load of the pages of all listed users that are asked for alike.
func (l *loads) page(alike string, read func(ctx context.Context, users []string) (map[string]*gen.OrderConnection, error)) *batch.Load[*gen.OrderConnection] {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.pages[alike]
	if p == nil {
		p = &batch.Load[*gen.OrderConnection]{Read: read}
		p.Want(l.users...)
		l.pages[alike] = p
	}
	return p
}
