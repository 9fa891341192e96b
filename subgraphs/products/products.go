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
	"io/fs"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"

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
	return s, nil
}

// Schema is the subgraph's schema with its resolvers.
func (s *Service) Schema() graphql.ExecutableSchema {
	return schema{gen.NewExecutableSchema(gen.Config{Resolvers: &resolver{s}}), s}
}

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

// Subscribe registers what the service listens to: nothing.
func (s *Service) Subscribe(event.Bus) {}

// Run publishes events, settles prices that are due and forgets old idempotency keys, until ctx ends.
func (s *Service) Run(ctx context.Context, bus event.Bus) error {
	done := make(chan error, 1)
	go func() { done <- s.outbox.Relay(ctx, bus, s.log) }()
	s.upkeep(ctx)
	return <-done
}

// Close closes the database.
func (s *Service) Close() error { return s.db.Close() }
