// Package responsecache keeps what subgraphs have answered: each entity by itself, and the root fields of a request
// together. It is not the cache of plans, which package router has.
//
// In goes a subgraph's transport.Transport; out comes one that answers queries from what is kept. Of a batch of
// representations only those are sent on that are not there, and what comes is put between what was. A Cache is a hook of
// the router (OnRequest, OnTransport, OnResponse): without one, nothing of this is on the way of a request.
//
// # What is kept, and for how long
//
// Only answers of subgraphs that the configuration names, without errors, with status 200. An answer's age limit is the
// least of what its Cache-Control header says (RFC 9111; Age, Vary and Set-Cookie count), and of the hints for types and
// fields within it; without either it is the subgraph's max_age, and without that nothing is kept. Hints are those of
// the configuration, and those of @cacheControl(maxAge, scope) in the supergraph. Composition drops subgraphs' own
// directives, as Apollo's does, unless @composeDirective asks for them; therefore the header, which servers derive from
// the directive, and the configuration are the usual ways, and the directive counts where it is composed. Unlike in
// Apollo Server, what has no hint inherits that of the root field or entity above it: nobody has to repeat it on every
// object.
//
// # Whose it is
//
// An entry's key is a hash of subgraph, operation text, variables, representation, and all headers that go to the subgraph
// but for those that only name a request and those that the configuration says don't matter. Private answers have the
// identity in it, too: issuer, subject, scopes and client of the verified credentials; of anonymous clients they are not
// kept. Private is what a hint or a Cache-Control header says so, whatever @authenticated, @requiresScopes or @policy
// protect, and an answer whose Vary names a header that the key leaves out. Once one answer to an operation was private,
// all of them are.
//
// # What ends it early
//
// Entries are marked, not searched for: an entry says which subgraph, types, keys and tags it depends on, and when its
// fetch began; what is invalidated gets a mark with the time, and an entry older than one of its marks is none. That takes
// one write however many entries there are, and an answer that was under way meanwhile can't come back afterwards. Since an
// entity that has changed may enter or leave any list, whatever holds objects of its type ends with it. Marks come from
// mutations (mutation.go), from the HTTP endpoint (endpoint.go), and from Cache.Invalidate.
//
// After a mutation, its client's reads are answered by subgraphs for a while, since events may still be on their way. The
// client is known by its identity, or by the header Agora-Wrote, which it got with the mutation's answer and sends back.
package responsecache

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// Cache keeps answers. It is safe for concurrent use.
type Cache struct {
	cfg      Config
	store    store
	observer Observer
	flights  flights
	// schema is the newest one.
	schema atomic.Pointer[schema]

	// refreshes bounds the refreshes of stale entries that run; running are these.
	refreshes chan struct{}
	running   sync.WaitGroup
	ending    context.Context
	end       context.CancelFunc
	// mu orders the start of refreshes and Close.
	mu     sync.Mutex
	closed bool
}

// New makes a cache, or says what in the configuration can't work. It connects to nobody yet.
func New(cfg Config) (*Cache, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Cache{cfg: cfg, observer: unobserved{}, refreshes: make(chan struct{}, maxRefreshes)}
	c.flights.calls = map[string]*flight{}
	c.ending, c.end = context.WithCancel(context.Background())
	if cfg.Redis == "" {
		c.store = newMemory(cmp.Or(cfg.MaxBytes, 64<<20))
		return c, nil
	}
	var err error
	c.store, err = newRedis(cfg)
	return c, err
}

// Close ends the refreshes of stale entries, and the connections to Redis.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.running.Wait()
	return c.store.close()
}

// schema is a supergraph, and what is known of the operations that are sent to its subgraphs.
type schema struct {
	*supergraph.Supergraph
	// keys are the top-level fields of each entity's keys, of all subgraphs, in name order; by the type's name.
	keys map[string][]string
}

func newSchema(sg *supergraph.Supergraph) *schema {
	s := &schema{sg, map[string][]string{}}
	for _, t := range sg.Types {
		fields := map[string]bool{}
		for _, p := range t.In {
			if p == nil {
				continue
			}
			for _, key := range p.Keys {
				for _, f := range key.Fields.Fields {
					fields[f.Name] = true
				}
			}
		}
		if delete(fields, "__typename"); len(fields) > 0 {
			s.keys[t.Name] = slices.Sorted(maps.Keys(fields))
		}
	}
	return s
}

// OnTransport puts the cache around the way to a subgraph of sg; subgraph is its index. Those whose answers are not kept
// have it around them, too, since mutations end what was kept of others. An error says what the configuration names that
// sg doesn't have.
func (c *Cache) OnTransport(sg *supergraph.Supergraph, subgraph int, t transport.Transport) (transport.Transport, error) {
	s := c.schema.Load()
	if s == nil || s.Supergraph != sg {
		if err := c.cfg.fits(sg); err != nil {
			return nil, err
		}
		s = newSchema(sg)
		c.schema.Store(s)
	}
	way := &cached{Transport: t, cache: c, schema: s, name: sg.Subgraphs[subgraph].Name}
	way.starter, _ = t.(transport.Starter)
	if cfg, ok := c.cfg.Subgraphs[way.name]; ok {
		way.cfg = &cfg
		way.operations, _ = lru.New[string, *operation](maxOperations) // the size is above zero: there is no error
		for _, name := range cfg.IgnoreHeaders {
			way.ignored = append(way.ignored, http.CanonicalHeaderKey(name))
		}
	}
	return way, nil
}

// AnswerHeaders are the headers of a subgraph's answers that the cache has to see.
func (c *Cache) AnswerHeaders(subgraph string) []string {
	if _, ok := c.cfg.Subgraphs[subgraph]; !ok {
		return nil
	}
	return []string{"Cache-Control", "Age", "Vary", "Set-Cookie", "Cache-Tag"}
}

// names are the subgraphs whose answers are kept, sorted.
func (c *Cache) names() []string { return slices.Sorted(maps.Keys(c.cfg.Subgraphs)) }

// refreshed runs refresh in the background, unless too many run already; it says whether it does. The context ends with
// the cache, at the latest.
func (c *Cache) refreshed(ctx context.Context, refresh func(ctx context.Context)) bool {
	select {
	case c.refreshes <- struct{}{}:
	default:
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		<-c.refreshes
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	stop := context.AfterFunc(c.ending, cancel)
	c.running.Go(func() {
		defer func() { <-c.refreshes }()
		defer cancel()
		defer stop()
		refresh(ctx)
	})
	return true
}

const (
	maxRefreshes   = 64
	refreshTimeout = 30 * time.Second
)

// errUnreachable says that marks could not be written to where other routers see them.
var errUnreachable = fmt.Errorf("redis is away")
