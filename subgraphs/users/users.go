// Package users is the subgraph of people: their accounts and passwords, sessions and tokens, roles and
// addresses. In comes GraphQL by schema/users.graphql; out go answers, access tokens that every other service
// verifies against the key set (JWKS), and events.
//
// Passwords are argon2id in PHC strings, hashed a few at a time, since each costs 19 MiB and a good part of a
// core. A login gives an access token of five minutes (EdDSA, RFC 8037) and a refresh token that is good for one
// use: the next one comes with the answer, and whoever uses a spent one ends the session (RFC 9700, section
// 4.14). Attempts are throttled per account, per client and per login field, so that aliases in one document count
// each. What concerns an account's safety is in an audit log that is only ever added to.
//
// The rules are in files by subject: account.go, password.go, session.go, token.go, keys.go, throttle.go, verify.go,
// reset.go, erase.go, export.go, audit.go, address.go, role.go; mail.go and letter.go send what they have to say;
// resolver.go, mutation.go and entity.go are how GraphQL reaches them.
package users

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/mail"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

//go:embed migrations
var migrations embed.FS

// Source is the source of this service's events.
const Source = "agora/users"

// Config is what the service needs.
type Config struct {
	// Database is where everything is kept: "sqlite:PATH" or "postgres://…".
	Database string
	// Secret is what the services share. Here it encrypts the signing keys at rest. Keys made under another
	// secret go on verifying but sign no more.
	Secret []byte
	// Password is the cost of hashing. The zero value means OWASP's first choice for argon2id.
	Password PasswordCost
	// AccessLife is how long an access token is good. Zero means 5 minutes.
	AccessLife time.Duration
	// RefreshLife is how long a refresh token is good, and so an idle session. Zero means 30 days.
	RefreshLife time.Duration
	// SessionLife bounds a session that is never idle. Zero means 180 days.
	SessionLife time.Duration
	// KeyLife is how long a signing key signs. Zero means 30 days.
	KeyLife time.Duration
	// DeletionGrace is how long an account that its owner has deleted can be kept after all. Zero means 30 days.
	DeletionGrace time.Duration
	// AuditLife is how long security events are kept. Zero means 400 days; 90 days are the least.
	AuditLife time.Duration
	// Mail is what messages go out by, as mail.Open takes it. Empty means that they are noted in the log only.
	Mail string
	// VerifyLink and ResetLink are what the tokens in messages are appended to, such as
	// "https://shop.example/verify?token=". Empty means that the message shows the token alone.
	VerifyLink, ResetLink string
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger

	sender mail.Sender
}

// Service is the users service. It is safe for concurrent use.
type Service struct {
	cfg    Config
	db     *database.DB
	outbox *event.Outbox
	hasher *hasher
	keys   keyring
	// mailWake holds a token while there may be mail to send.
	mailWake chan struct{}
}

// New opens the database, brings its schema up to date and makes the signing keys if there are none.
func New(ctx context.Context, cfg Config) (*Service, error) {
	cfg.AccessLife = cmp.Or(cfg.AccessLife, 5*time.Minute)
	cfg.RefreshLife = cmp.Or(cfg.RefreshLife, 30*24*time.Hour)
	cfg.SessionLife = cmp.Or(cfg.SessionLife, 180*24*time.Hour)
	cfg.KeyLife = cmp.Or(cfg.KeyLife, 30*24*time.Hour)
	cfg.DeletionGrace = cmp.Or(cfg.DeletionGrace, 30*24*time.Hour)
	cfg.AuditLife = max(cmp.Or(cfg.AuditLife, 400*24*time.Hour), minAuditLife)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	var err error
	if cfg.sender, err = mail.Open(cfg.Mail, cfg.Log); err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	hasher, err := newHasher(cfg.Password)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	db, err := database.Open(ctx, cfg.Database, event.Migrations(), idempotency.Migrations(), own)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	s := &Service{cfg: cfg, db: db, outbox: event.NewOutbox(db, Source), hasher: hasher, mailWake: make(chan struct{}, 1)}
	if _, err := s.ring(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("users: signing keys: %w", err)
	}
	return s, nil
}

// Schema is the GraphQL schema with its resolvers, for subgraph.New.
func (s *Service) Schema() graphql.ExecutableSchema {
	return batch.Share(gen.NewExecutableSchema(gen.Config{Resolvers: resolver{s}}), func() *loads { return newLoads(s) })
}

// Subscribe registers what the service listens to: nothing, it is asked.
func (s *Service) Subscribe(event.Bus) {}

// Close closes the database.
func (s *Service) Close() error { return s.db.Close() }

// housekeepingInterval is how often Run looks for what has expired.
const housekeepingInterval = time.Minute

// idempotencyLife is how long the answer of a command is given again.
const idempotencyLife = 24 * time.Hour

// Run publishes events on the bus, sends mail, rotates the signing keys when they are due, erases accounts and forgets
// what has expired, until ctx ends. Without a bus the events stay in the outbox.
func (s *Service) Run(ctx context.Context, bus event.Bus) error {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { s.runMailer(ctx) })
	if bus != nil {
		running.Go(func() {
			if err := s.outbox.Relay(ctx, bus, s.cfg.Log); err != nil {
				s.cfg.Log.ErrorContext(ctx, "relay events", "source", Source, "error", err)
			}
		})
	}
	timer := time.NewTicker(housekeepingInterval)
	defer timer.Stop()
	for {
		if err := s.keepHouse(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "keep house", "subgraph", "users", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}

// keepHouse does each chore, whatever became of the others.
func (s *Service) keepHouse(ctx context.Context) error {
	_, keys := s.ring(ctx)
	return errors.Join(
		keys,
		s.retireKeys(ctx),
		s.forgetSessions(ctx),
		s.forgetAttempts(ctx),
		s.forgetMailTokens(ctx),
		s.forgetEvents(ctx),
		s.eraseDue(ctx),
		idempotency.Prune(ctx, s.db, time.Now().Add(-idempotencyLife)),
	)
}

// micros is the time of the clock, as it is stored.
func (s *Service) micros() int64 { return database.Micros(s.cfg.Now()) }
