// Package payments is the subgraph that owns money: payments, refunds, saved methods, and the talk with the
// provider that really moves it.
//
// Every command (authorise, capture, void, refund) goes the same way: one transaction claims the idempotency key
// and commits an operation, the intent; the provider is asked under the operation's key; a second transaction
// records the outcome with the payment's new status, ledger entries, the event and the answer. An outcome that is
// not known (a time-out, a crash between the two) is a state of its own: it is resolved by asking the provider
// what became of the key, on the next request for it and by Run, and never guessed. A payment has one open
// operation at a time.
//
// transition.go is the table of what may happen; execute.go and resolve.go carry an operation to its end;
// command.go is what all commands share; the rest is a file for each of them.
package payments

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

//go:embed migrations
var migrations embed.FS

// Source is the source of the service's events.
const Source = "agora/payments"

// Config is what the service needs.
type Config struct {
	// Database is the URL of its own database: see database.Open.
	Database string
	// Provider moves the money. It is required.
	Provider Provider
	// ProviderTimeout bounds one request to the provider; behind it the outcome is unknown. Zero means 3 s.
	ProviderTimeout time.Duration
	// Alone says that no other replica uses the database: what a process that died has left behind is resolved at once,
	// and not when its request has certainly ended.
	Alone bool
	// ActionTimeout is how long a buyer has for 3-D Secure. It must be less than the reservation of the order's
	// stock lasts (15 min). Zero means 10 min.
	ActionTimeout time.Duration
	// Orders is asked about the orders that staff have paid by hand; it needs orders:read. Nil believes staff.
	Orders *subgraph.Client
	// Webhooks is how others are told by webhook. Its Now and Log are this service's.
	Webhooks webhook.Config
	// WebhookSources are the sources of the events that others may be told of. Empty means the service's own.
	WebhookSources []string
	// SweepInterval is how often Run looks for unknown outcomes and for what has lapsed. Zero means 500 ms.
	SweepInterval time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// Service is the payments service. It is safe for concurrent use.
type Service struct {
	cfg      Config
	db       *database.DB
	outbox   *event.Outbox
	webhooks *webhook.Queue
}

// New opens the service's database.
func New(ctx context.Context, cfg Config) (*Service, error) {
	if cfg.Provider == nil {
		return nil, errors.New("payments: no provider")
	}
	cfg.ProviderTimeout = cmp.Or(cfg.ProviderTimeout, 3*time.Second)
	cfg.ActionTimeout = cmp.Or(cfg.ActionTimeout, 10*time.Minute)
	cfg.SweepInterval = cmp.Or(cfg.SweepInterval, 500*time.Millisecond)
	if len(cfg.WebhookSources) == 0 {
		cfg.WebhookSources = []string{Source}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("payments: %w", err)
	}
	db, err := database.Open(ctx, cfg.Database, event.Migrations(), idempotency.Migrations(), webhook.Migrations(), own)
	if err != nil {
		return nil, fmt.Errorf("payments: %w", err)
	}
	cfg.Webhooks.Now, cfg.Webhooks.Log = cfg.Now, cfg.Log
	s := &Service{cfg: cfg, db: db, outbox: event.NewOutbox(db, Source), webhooks: webhook.New(db, cfg.Webhooks)}
	if cfg.Alone {
		if err := s.inherit(ctx); err != nil {
			db.Close()
			return nil, fmt.Errorf("payments: %w", err)
		}
	}
	return s, nil
}

// Schema is the subgraph's schema with its resolvers.
func (s *Service) Schema() graphql.ExecutableSchema {
	return gen.NewExecutableSchema(gen.Config{Resolvers: resolver{s}})
}

// Subscribe registers what the service listens to: what others are told of by webhook, and who is erased.
func (s *Service) Subscribe(bus event.Bus) {
	users := &event.Consumer{DB: s.db, Name: "payments.users", Apply: s.applyUser}
	bus.Subscribe(users.Name, []string{"agora/users"}, users.Handle, users.HandleAll)
	bus.Subscribe("payments.webhooks", s.cfg.WebhookSources, s.offer, s.offerAll)
}

// Run publishes events, resolves unknown outcomes, lets lapse what has expired and sends webhooks, until ctx ends.
func (s *Service) Run(ctx context.Context, bus event.Bus) error {
	var g errgroup.Group
	g.Go(func() error { return s.outbox.Relay(ctx, bus, s.cfg.Log) })
	g.Go(func() error { return s.sweep(ctx) })
	g.Go(func() error { return s.webhooks.Run(ctx) })
	return g.Wait()
}

// Close closes the database.
func (s *Service) Close() error { return s.db.Close() }

func (s *Service) now() time.Time { return s.cfg.Now() }

func (s *Service) nowMicros() int64 { return database.Micros(s.cfg.Now()) }
