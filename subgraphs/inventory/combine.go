package inventory

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// maxBatch is how many reservations one transaction decides at most.
const maxBatch = 64

// combiner puts reservations that wait for the same rows into one transaction. There is no timer and no goroutine: who
// finds nobody at work is served at once, alone; who comes meanwhile waits, and the first of those leads all of them
// when the one before is done. So a lone request is not slower than without it, and a crowd pays for one commit instead
// of many. What is decided is the same: the rows are locked, and replicas need not know of each other.
type combiner struct {
	mu      sync.Mutex
	busy    bool
	waiting []*request
}

// turn is what a waiting request is told.
type turn int

const (
	// decided means that the verdict is there.
	decided turn = iota
	// lead means to decide those that wait, itself among them.
	lead
)

// batchTimeout bounds the transaction of a batch: it must not end with the request that happens to lead it.
const batchTimeout = 30 * time.Second

// do has a request decided, in a batch with those that wait as well. One whose caller has gone is decided all the same.
func (c *combiner) do(r *request, decide func(ctx context.Context, batch []*request)) error {
	c.mu.Lock()
	if c.busy {
		c.waiting = append(c.waiting, r)
		c.mu.Unlock()
		select {
		case t := <-r.turn:
			if t == decided {
				return r.err
			}
		case <-r.ctx.Done():
			return c.leave(r)
		}
		c.mu.Lock()
	} else {
		c.busy, c.waiting = true, append(c.waiting, r)
	}
	batch := c.waiting[:min(len(c.waiting), maxBatch)]
	c.waiting = append([]*request(nil), c.waiting[len(batch):]...)
	c.mu.Unlock()
	c.run(r, batch, decide)
	return r.err
}

// run decides a batch, and hands over to the first of those that have come meanwhile.
func (c *combiner) run(leader *request, batch []*request, decide func(ctx context.Context, batch []*request)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(leader.ctx), batchTimeout)
	defer cancel()
	defer func() { // also when decide panics: nobody may wait for ever
		for _, each := range batch {
			if each != leader {
				each.turn <- decided
			}
		}
		c.handOver()
	}()
	for _, each := range batch {
		each.err = errUndecided
	}
	decide(ctx, batch)
}

// errUndecided says that the transaction of a batch did not come to its end.
var errUndecided = errors.New("the reservation was not decided")

func (c *combiner) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy = len(c.waiting) > 0; c.busy {
		c.waiting[0].turn <- lead
	}
}

// leave takes a request out whose caller has gone. If it is decided already or being decided, nobody hears of it; if it
// was to lead, the next one does.
func (c *combiner) leave(r *request) error {
	c.mu.Lock()
	led := false
	for i, each := range c.waiting {
		if each == r {
			c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
			led = len(r.turn) > 0
			break
		}
	}
	c.mu.Unlock()
	if led {
		c.handOver()
	}
	return r.ctx.Err()
}

// combiners is how many combiners there are on Postgres, where reservations of different variants go on side by side.
// SQLite has one writer, and so one combiner.
const combiners = 8

var combinerSeed = maphash.MakeSeed()

// combinerFor is the combiner of the requests that begin with the same variant.
func (s *Service) combinerFor(r *request) *combiner {
	if s.db.Dialect == database.SQLite || len(r.lines) == 0 {
		return &s.combiners[0]
	}
	return &s.combiners[maphash.String(combinerSeed, r.lines[0].VariantID)%combiners]
}
