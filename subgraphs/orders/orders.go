// Package orders is the subgraph of carts and orders. An order is placed in one transaction, as PENDING, with its
// idempotency record, its saga and an event; from there the saga carries it, step by step:
//
//	reserve stock → authorise payment → commit the reservation → capture → CONFIRMED
//
// saga.go is the saga as data, transition.go the table of statuses. Each step is a command to another service with
// the key order:<id>:<step>: its intent is committed with the result of the step before, and a driver (drive.go)
// asks and records. A refusal turns the plan around to compensations. An outcome that isn't known is asked again
// with the same key, never guessed. A driver holds a lease on the saga; when it dies, the watchdog of this or any
// other replica goes on when the lease is over.
//
// cart.go and pricing.go are what comes before an order, checkout.go places it, cancel.go and fulfil.go end it,
// erase.go forgets who it went to, watch.go streams its statuses.
package orders

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

//go:embed migrations
var migrations embed.FS

// Source is the source of the service's events.
const Source = "agora/orders"

// Config is what the service needs.
type Config struct {
	// Database is the URL of its own database: see database.Open.
	Database string
	// Users needs the scope users:read, for addresses.
	Users *subgraph.Client
	// Products needs no scope.
	Products *subgraph.Client
	// Inventory needs the scope inventory:write.
	Inventory *subgraph.Client
	// Payments needs the scopes payments:read, payments:write and payments:refund.
	Payments *subgraph.Client
	// Shipping is what delivery costs. The zero value means ShippingRule's default.
	Shipping ShippingRule
	// Parallel is how many sagas are driven at the same time, and how many orders are placed. Zero means 32.
	Parallel int
	// StepTimeout bounds one command of a saga; behind it the outcome is unknown. Zero means 5 s.
	StepTimeout time.Duration
	// Lease is how long a saga belongs to its driver after each step: as long it stands still when the driver
	// dies. It must be longer than StepTimeout. Zero means twice StepTimeout.
	Lease time.Duration
	// Alone says that no other replica uses the database: what a process that died has left behind is carried on at
	// once, and not when its lease is over.
	Alone bool
	// ReservationLife is how long stock is held for an order that isn't paid. Zero means 15 min.
	ReservationLife time.Duration
	// CartLife is how long an anonymous cart is kept that nobody changes. Zero means 30 days.
	CartLife time.Duration
	// Retry is the pause before a step whose outcome is unknown is tried again; it doubles each time, up to 5 s. Zero
	// means 100 ms.
	Retry time.Duration
	// WatchInterval is how often the watchdog looks for sagas that stand still. Zero means 250 ms.
	WatchInterval time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// Service is the orders service. It is safe for concurrent use.
type Service struct {
	cfg    Config
	db     *database.DB
	outbox *event.Outbox
	// placing holds a token for each order that is being placed: the rest of a crowd waits without holding anything,
	// and finds out that the shelf is empty before it writes.
	placing chan struct{}
	// queue holds the sagas that this replica has a lease on and no driver yet; wake calls the watchdog.
	queue chan lease
	wake  chan struct{}
	// stopped is closed when Run has ended.
	stopped chan struct{}
	hub     hub
	quotes  singleflight.Group
}

// queueLength is how many sagas may wait for a driver: those beyond it wait for the watchdog.
const queueLength = 4096

// New opens the service's database.
func New(ctx context.Context, cfg Config) (*Service, error) {
	cfg.Parallel = cmp.Or(cfg.Parallel, 32)
	cfg.StepTimeout = cmp.Or(cfg.StepTimeout, 5*time.Second)
	cfg.Lease = cmp.Or(cfg.Lease, 2*cfg.StepTimeout)
	cfg.ReservationLife = cmp.Or(cfg.ReservationLife, 15*time.Minute)
	cfg.CartLife = cmp.Or(cfg.CartLife, 30*24*time.Hour)
	cfg.Retry = cmp.Or(cfg.Retry, 100*time.Millisecond)
	cfg.WatchInterval = cmp.Or(cfg.WatchInterval, 250*time.Millisecond)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	db, err := database.Open(ctx, cfg.Database, event.Migrations(), idempotency.Migrations(), own)
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	s := &Service{
		cfg: cfg, db: db, outbox: event.NewOutbox(db, Source),
		placing: make(chan struct{}, cfg.Parallel), queue: make(chan lease, queueLength), wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	db.Committed = s.committed
	if cfg.Alone {
		if err := s.inherit(ctx); err != nil {
			db.Close()
			return nil, fmt.Errorf("orders: %w", err)
		}
	}
	return s, nil
}

// Schema is the subgraph's schema with its resolvers.
func (s *Service) Schema() graphql.ExecutableSchema {
	return batch.Share(gen.NewExecutableSchema(gen.Config{Resolvers: resolver{s}}), func() *loads { return newLoads(s) })
}

// Subscribe registers what the service listens to.
func (s *Service) Subscribe(bus event.Bus) {
	payments := &event.Consumer{DB: s.db, Name: "orders.payments", Apply: s.applyPayment, Applied: s.applied}
	bus.Subscribe(payments.Name, []string{"agora/payments"}, payments.Handle, payments.HandleAll)
	inventory := &event.Consumer{DB: s.db, Name: "orders.inventory", Apply: s.applyInventory, Applied: s.applied}
	bus.Subscribe(inventory.Name, []string{inventorySource}, inventory.Handle, inventory.HandleAll)
	users := &event.Consumer{DB: s.db, Name: "orders.users", Apply: s.applyUser}
	bus.Subscribe(users.Name, []string{"agora/users"}, users.Handle, users.HandleAll)
}

// Run publishes events, drives sagas and watches over them, until ctx ends.
func (s *Service) Run(ctx context.Context, bus event.Bus) error {
	s.measure()
	var g errgroup.Group
	g.Go(func() error { return s.outbox.Relay(ctx, bus, s.cfg.Log) })
	g.Go(func() error { return s.watchdog(ctx) })
	for range s.cfg.Parallel {
		g.Go(func() error { return s.drivers(ctx) })
	}
	err := g.Wait()
	close(s.stopped)
	s.abandon(context.WithoutCancel(ctx))
	return err
}

// Close closes the database.
func (s *Service) Close() error { return s.db.Close() }

func (s *Service) now() time.Time { return s.cfg.Now() }

func (s *Service) nowMicros() int64 { return database.Micros(s.cfg.Now()) }
