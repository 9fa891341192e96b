// Package inventory is the subgraph that owns stock: how many units of a variant are on hand, held for an order
// that is being placed, and sold.
//
// available = on hand - reserved. A reservation holds units for one order, all lines or none, until it is
// committed (the units are sold), released, or expires by the clock: from that instant its units count as
// available, whether or not the sweeper has come by. Every change is one transaction that locks the rows of stock in
// the order of their ids, guards them with a condition, and writes the movement that the ledger sums up.
package inventory

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
	"github.com/agora-supergraph/agora/subgraphs/inventory/gen"
)

//go:embed migrations
var migrations embed.FS

// Source is the source of the service's events.
const Source = "agora/inventory"

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

// Service is the inventory service. It is safe for concurrent use.
type Service struct {
	db     *database.DB
	outbox *event.Outbox
	cache  *cache.Cache[Level]
	now    func() time.Time
	log    *slog.Logger
	// combiners put reservations together: see combine.go.
	combiners [combiners]combiner
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
	cfg.Cache.Name, cfg.Cache.TTL, cfg.Cache.Now, cfg.Cache.Log = "inventory", cacheTTL, s.now, s.log
	if s.cache, err = cache.New[Level](cfg.Cache); err != nil {
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

// Subscribe registers what the service listens to.
func (s *Service) Subscribe(bus event.Bus) {
	catalogue := &event.Consumer{DB: s.db, Name: "inventory.catalogue", Apply: s.applyCatalogue}
	bus.Subscribe(catalogue.Name, []string{"agora/products"}, catalogue.Handle, catalogue.HandleAll)
	if s.cache != nil {
		bus.Subscribe("inventory.cache", []string{Source}, cache.Hearing(bus, s.heard))
	}
}

// Run publishes events, keeps the cache, ends reservations that have expired, and forgets old idempotency keys, until ctx ends.
func (s *Service) Run(ctx context.Context, bus event.Bus) error {
	var g errgroup.Group
	g.Go(func() error { return s.outbox.Relay(ctx, bus, s.log) })
	g.Go(func() error { return s.sweep(ctx) })
	g.Go(func() error { return s.forget(ctx) })
	g.Go(func() error { return s.cache.Run(ctx) })
	return g.Wait()
}

// Close closes the database and the cache.
func (s *Service) Close() error { return errors.Join(s.cache.Close(), s.db.Close()) }
