// Package webhook tells the programs of others what happened here, by Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), and verifies what they
// tell.
//
// A message is put into a Queue in the transaction of what it tells of, as a delivery for each endpoint that wants its
// type. Run sends what is due: signed, with a time limit, without following redirects, and to public addresses only.
// What fails is tried again for three days. An endpoint that answers 410, or that has failed for days, is disabled.
// Every delivery stays for a month, and can be sent again by hand. Receivers see a message at least once, in any order:
// its id is the same each time.
package webhook

import (
	"cmp"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of endpoints and deliveries, for database.Open.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err)
	}
	return sub
}

// Config is how webhooks are sent. The zero value sends to public addresses, and can't register endpoints.
type Config struct {
	// Key seals the endpoints' secrets in the database; any length from 16 bytes on. Without it none can be registered.
	Key []byte
	// Private allows http:// and addresses that are not on the internet, for development and for receivers in one's own network.
	Private bool
	// Timeout bounds one attempt. Zero means 20 s.
	Timeout time.Duration
	// Schedule are the pauses before the second attempt and those that follow; each is varied by a tenth. Empty means
	// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h.
	Schedule []time.Duration
	// DisableAfter is how long an endpoint may fail without a success between before it is disabled. Zero means 72 h.
	DisableAfter time.Duration
	// Interval is how often Run looks for what is due without being woken. Zero means 1 s.
	Interval time.Duration
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log takes what goes wrong. Nil means slog.Default().
	Log *slog.Logger
}

// schedule is what Standard Webhooks recommends.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Queue holds endpoints and what they are to be told. It is safe for concurrent use, also by several processes on one
// database.
type Queue struct {
	cfg    Config
	db     *database.DB
	client *http.Client
	wake   chan struct{}
}

// New returns the queue in a database that has the tables.
func New(db *database.DB, cfg Config) *Queue {
	cfg.Timeout = cmp.Or(cfg.Timeout, 20*time.Second)
	cfg.DisableAfter = cmp.Or(cfg.DisableAfter, 72*time.Hour)
	cfg.Interval = cmp.Or(cfg.Interval, time.Second)
	if len(cfg.Schedule) == 0 {
		cfg.Schedule = schedule
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Queue{cfg: cfg, db: db, client: cfg.client(), wake: make(chan struct{}, 1)}
}

// Wake tells Run that there is something to send. Call it after the commit of Enqueue or Replay.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue) nowMicros() int64 { return database.Micros(q.cfg.Now()) }
