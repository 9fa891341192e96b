package apikey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agora-supergraph/agora/router/auth"
)

// Config is what a Verifier needs. The zero value of each field but Store works.
type Config struct {
	// Store has the keys.
	Store Store
	// Header is the header that a key is in. Empty means X-API-Key.
	Header string
	// Interval is the time between two readings of the store; a revoked key is good no longer than that. Zero means 5 s.
	Interval time.Duration
	// Next verifies the requests' other credentials, such as tokens. Nil means that there are none.
	Next Verifier
	// Logger is told what can't be read. Nil discards.
	Logger *slog.Logger
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Verifier tells who a request comes from: *auth.Verifier is one. Its errors are as documented there.
type Verifier interface {
	FromHeader(ctx context.Context, header http.Header) (*auth.Claims, error)
}

// Keys verifies keys. It is safe for concurrent use.
type Keys struct {
	cfg    Config
	header string
	table  atomic.Pointer[table]

	// mu lets one reading happen at a time.
	mu      sync.Mutex
	attempt time.Time
	wrong   string
}

// table is one reading of the store, by the keys' ids. The claims are shared by all requests with a key.
type table map[string]known

type known struct {
	Record
	claims *auth.Claims
}

// unknownAfter is how long after a reading another is made because somebody has a key that is not there: a new one works at
// once, and a flood of made-up ones does not become a flood for the store.
const unknownAfter = time.Second

// New returns a verifier that knows no keys yet: call Load, then Run.
func New(cfg Config) (*Keys, error) {
	if cfg.Store == nil {
		return nil, errors.New("api keys: Config.Store is missing")
	}
	cfg.Header = cmp.Or(cfg.Header, "X-API-Key")
	cfg.Interval = cmp.Or(cfg.Interval, 5*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Keys{cfg: cfg, header: http.CanonicalHeaderKey(cfg.Header)}, nil
}

// Load reads the store.
func (k *Keys) Load(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.load(ctx)
}

// load reads the store. On an error, which it logs once, the last keys go on: a store that is away must not lock partners out.
// The caller holds mu.
func (k *Keys) load(ctx context.Context) error {
	k.attempt = k.cfg.Now()
	records, err := k.cfg.Store.Load(ctx)
	if err != nil {
		if ctx.Err() == nil && k.wrong != err.Error() {
			k.wrong = err.Error()
			k.cfg.Logger.LogAttrs(ctx, slog.LevelError, "api keys not read: the last ones go on", slog.Any("error", err))
		}
		return err
	}
	k.wrong = ""
	t := make(table, len(records))
	for _, r := range records {
		t[r.ID] = known{r, &auth.Claims{Issuer: "api key", Subject: "client:" + r.Client, Client: r.Client, Scopes: r.Scopes, Expires: r.Expires}}
	}
	k.table.Store(&t)
	return nil
}

// Run reads the store again and again until ctx ends.
func (k *Keys) Run(ctx context.Context) {
	tick := time.NewTicker(k.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// The error is logged; there is nobody else to tell.
			_ = k.Load(ctx)
		}
	}
}

// FromHeader verifies the key in a request's header, and what Next verifies. Without a key, the claims are Next's. With a key
// alone they are the client's: its scopes, and client:NAME as the subject. With both, the token says who asks and what they
// may do, and the key which program they use.
//
// A key that is not good is an *auth.Error; any other error says that nobody can tell now.
func (k *Keys) FromHeader(ctx context.Context, header http.Header) (*auth.Claims, error) {
	var user *auth.Claims
	if k.cfg.Next != nil {
		var err error
		if user, err = k.cfg.Next.FromHeader(ctx, header); err != nil {
			return nil, err
		}
	}
	values := header[k.header]
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return user, nil
	case len(values) > 1:
		return nil, &auth.Error{What: what, Reason: fmt.Sprintf("there is more than one %s header", k.cfg.Header)}
	}
	client, err := k.verify(ctx, values[0])
	if err != nil || user == nil {
		return client, err
	}
	both := *user
	both.Client = client.Client
	if both.Expires.IsZero() || !client.Expires.IsZero() && client.Expires.Before(both.Expires) {
		both.Expires = client.Expires
	}
	return &both, nil
}

// what is what a refusal names.
const what = "API key"

// errUnknown says the same for a key that never was, that is revoked, and that is wrong in its secret.
var errUnknown = &auth.Error{What: what, Reason: "it is not known"}

// nobody is compared with keys that are not there, so that they take the same time.
var nobody = Record{SHA256: hash("")}

func (k *Keys) verify(ctx context.Context, key string) (*auth.Claims, error) {
	id, ok := idOf(key)
	if !ok {
		return nil, errUnknown
	}
	found, there, err := k.find(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !there:
		nobody.matches(key)
		return nil, errUnknown
	case !found.matches(key):
		return nil, errUnknown
	case found.Expired(k.cfg.Now()):
		return nil, &auth.Error{What: what, Reason: "it has expired"}
	}
	return found.claims, nil
}

// find returns the key with an id. One that is not there may be new: the store is read again, unless that has just happened.
func (k *Keys) find(ctx context.Context, id string) (known, bool, error) {
	if t := k.table.Load(); t != nil {
		if found, there := (*t)[id]; there {
			return found, true, nil
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cfg.Now().Sub(k.attempt) >= unknownAfter {
		// Others wait for this, too: it does not end with the request that happens to be first.
		_ = k.load(context.WithoutCancel(ctx)) // logged
	}
	t := k.table.Load()
	if t == nil {
		return known{}, false, fmt.Errorf("api keys: %s", cmp.Or(k.wrong, "not read yet"))
	}
	found, there := (*t)[id]
	return found, there, nil
}

// Remote says whether the keys are somewhere that can be away while everything here is right.
func (k *Keys) Remote() bool {
	_, local := k.cfg.Store.(File)
	return !local
}
