// Package sandbox is a payment provider for development and tests: it moves no money, keeps a book of its own in
// its own database, and does what a card's token says (see tokens.go), always the same. It is idempotent by key:
// a key that comes again gets its first answer, and is refused with other parameters. Its book can be compared
// with the ledger of the payments service, to the cent.
//
// A Sandbox can be used in the same process, or as a server of its own: Handler is its HTTP interface, with a page
// for 3-D Secure, and a Client reaches it there. Both are a payments.Provider. Run lets time pass in the book, and
// tells the payments service by webhook what happens.
package sandbox

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

//go:embed migrations
var migrations embed.FS

// Config is what the sandbox needs.
type Config struct {
	// Database is the URL of its own database: see database.Open.
	Database string
	// URL is where Handler is reached from a browser, for the pages of 3-D Secure. Empty leads nowhere.
	URL string
	// APIKey is what clients of Handler must send. Empty lets everybody in.
	APIKey string
	// Webhook is where the payments service takes webhooks. Empty sends none.
	Webhook string
	// WebhookSecret signs webhooks: "whsec_" and base64, as webhook.NewSecret makes them. Without it none are sent, and
	// none are believed.
	WebhookSecret string
	// Slow is how long the answer to tok_slow takes. Zero means 500 ms.
	Slow time.Duration
	// Settle is how long a charge is pending whose token says so. Zero means 1 s.
	Settle time.Duration
	// Disorder is how far the webhooks of tok_webhook_reorder are moved. Zero means 500 ms.
	Disorder time.Duration
	// Lost is how many of 1,000 requests to Handler get no answer: half of them are not even done.
	Lost int
	// Seed makes it the same ones each time.
	Seed uint64
	// Retry is how webhooks are tried again: see webhook.Config.Schedule.
	Retry []time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// Sandbox is a payments.Provider. It is safe for concurrent use.
type Sandbox struct {
	cfg      Config
	db       *database.DB
	webhooks *webhook.Queue

	losing sync.Mutex
	// random says which requests are lost.
	random *rand.Rand
}

// endpoint is the name of the one receiver of webhooks.
const endpoint = "payments"

// New opens the sandbox's database.
func New(ctx context.Context, cfg Config) (*Sandbox, error) {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	db, err := database.Open(ctx, cfg.Database, webhook.Migrations(), own)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	cfg.Slow = cmp.Or(cfg.Slow, 500*time.Millisecond)
	cfg.Settle = cmp.Or(cfg.Settle, time.Second)
	cfg.Disorder = cmp.Or(cfg.Disorder, 500*time.Millisecond)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Sandbox{cfg: cfg, db: db, random: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed)), webhooks: webhook.New(db, webhook.Config{
		Key: []byte(cfg.WebhookSecret), Private: true, Schedule: cfg.Retry, Interval: tick, Now: cfg.Now, Log: cfg.Log,
	})}
	if cfg.Webhook != "" && cfg.WebhookSecret != "" {
		err := db.Tx(ctx, func(tx *database.Tx) error {
			return s.webhooks.Pin(ctx, tx, webhook.Endpoint{ID: endpoint, URL: cfg.Webhook, Types: []string{"*"}}, cfg.WebhookSecret)
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("sandbox: %w", err), db.Close())
		}
	}
	return s, nil
}

// Run decides what is pending, lets lapse what is due, and sends webhooks, until ctx ends.
func (s *Sandbox) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.pass(ctx) })
	g.Go(func() error { return s.webhooks.Run(ctx) })
	return g.Wait()
}

// Close closes the database.
func (s *Sandbox) Close() error { return s.db.Close() }

// Book is what the provider holds and has taken, an order a row, sorted by order: orders of which it holds and took
// nothing have a row of zeros. Compare it with payments.Service.Balances.
func (s *Sandbox) Book(ctx context.Context) ([]payments.Balance, error) {
	var rows []payments.Balance
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT order_id, currency,
			CAST(SUM(CASE WHEN state = 'AUTHORIZED' AND (due_us = 0 OR due_us > $1) THEN amount ELSE 0 END) AS BIGINT) AS authorized,
			CAST(SUM(captured - refunded) AS BIGINT) AS captured
		FROM charge GROUP BY order_id, currency ORDER BY order_id, currency`, database.Micros(s.cfg.Now()))
	if err != nil {
		return nil, fmt.Errorf("sandbox: sum up the book: %w", err)
	}
	return rows, nil
}
