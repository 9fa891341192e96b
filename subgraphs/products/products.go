// Package products is the subgraph that owns the catalogue: products with their variants, options and prices, the
// category tree, and the search over them.
//
// Shoppers see what is ACTIVE; who has the scope catalogue:write sees drafts and archived products too. A product has a
// version, which every change of it and of its prices raises, so that staff change only what they have seen. Its slug
// is made of its name; slugs that it had before still find it.
//
// A list is one statement, whatever is asked of its products: what hangs on them is read for the whole list at the
// first demand (loads). Search is described in search.go, pages of lists in listing.go.
package products

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

//go:embed migrations
var migrations embed.FS

// Source is the source of the service's events.
const Source = "agora/products"

// Config is what the service needs.
type Config struct {
	// Database is the URL of its own database: see database.Open.
	Database string
	// Cache is where shoppers' lookups are cached; its name, time to live and clock are the service's. The zero value caches
	// nothing.
	Cache cache.Config
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// Service is the products service. It is safe for concurrent use.
type Service struct {
	db     *database.DB
	outbox *event.Outbox
	memo   memo
	cache  *cache.Cache[*cached]
	now    func() time.Time
	log    *slog.Logger
}

// New opens the service's database.
func New(ctx context.Context, cfg Config) (*Service, error) {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, cfg.Database, event.Migrations(), idempotency.Migrations(), own)
	if err != nil {
		return nil, err
	}
	s := &Service{db: db, outbox: event.NewOutbox(db, Source), now: cfg.Now, log: cfg.Log}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	cfg.Cache.Name, cfg.Cache.TTL, cfg.Cache.Now, cfg.Cache.Log = "products", cacheTTL, s.now, s.log
	if s.cache, err = cache.New[*cached](cfg.Cache); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if s.cache != nil {
		db.Committed = s.committed
	}
	return s, nil
}

// Schema is the subgraph's schema with its resolvers.
func (s *Service) Schema() graphql.ExecutableSchema {
	return batch.Share(gen.NewExecutableSchema(gen.Config{Resolvers: &resolver{s}}), func() *loads { return newLoads(s) })
}

// Subscribe registers what the service listens to: its own events, for the cache.
func (s *Service) Subscribe(bus event.Bus) {
	if s.cache != nil {
		bus.Subscribe("products.cache", []string{Source}, cache.Hearing(bus, s.heard))
	}
}

// Run publishes events, keeps the cache, settles prices that are due and forgets old idempotency keys, until ctx ends.
func (s *Service) Run(ctx context.Context, bus event.Bus) error {
	var g errgroup.Group
	g.Go(func() error { return s.outbox.Relay(ctx, bus, s.log) })
	g.Go(func() error { return s.cache.Run(ctx) })
	s.upkeep(ctx)
	return g.Wait()
}

// Close closes the database and the cache.
func (s *Service) Close() error { return errors.Join(s.cache.Close(), s.db.Close()) }
