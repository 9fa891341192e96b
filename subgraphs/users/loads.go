package users

import (
	"context"
	"sync/atomic"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/internal/identity"
)

// loads is what the resolvers of one operation share: whoever makes a list of users says whose things may be
// wanted, and the first demand reads them for all.
type loads struct {
	accounts  batch.Load[*account]
	addresses batch.Load[[]address]
	sessions  batch.Load[[]session]
	// passwords says that the operation has tried one.
	passwords atomic.Bool
}

// sharedIn are the loads of the operation that ctx belongs to.
func sharedIn(ctx context.Context) *loads { return batch.In[loads](ctx) }

func newLoads(s *Service) *loads {
	l := &loads{}
	l.accounts.Read, l.addresses.Read, l.sessions.Read = s.accountsByID, s.addressesOf, s.sessionsOf
	return l
}

// list says that the things of these users may be asked for: by whoever may see them.
func (l *loads) list(ctx context.Context, userIDs ...string) {
	who := identity.From(ctx)
	for _, userID := range userIDs {
		if who.May(userID, scopeRead) {
			l.addresses.Want(userID)
			l.sessions.Want(userID)
		}
	}
}
