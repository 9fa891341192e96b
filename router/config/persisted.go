package config

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/auth/apikey"
	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/persisted/automatic"
	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/persisted/store"
	"github.com/agora-supergraph/agora/router/serve"
)

// Persisted says how documents are named instead of sent, and which ones a client may send at all.
type Persisted struct {
	// Automatic are automatic persisted queries: clients send hashes of what they have sent before.
	Automatic Automatic
	// Documents are the manifests of persisted documents. Of two that give an id different texts the first one counts.
	Documents []Documents
	// Mode says what clients may send that are not among clients, and those that name nobody: off is any text; log the same, with
	// a line in the log for texts that are in no manifest of the client; safelist takes texts of the client's manifests only,
	// compared without white space, comments and order; require_id takes ids only. Empty means off.
	Mode string `enum:"off,log,safelist,require_id"`
	// Clients are rules for clients by name: that of their API key, or else of the headers in clients.name_headers.
	Clients map[string]PersistedClient
	// BypassScope is a scope that lets a token or an API key send any text. Empty means none does.
	BypassScope string
	// Parameter is one more name that an id may have in the body or the URL's query, besides documentId, Apollo's extension
	// and doc_id. Empty means none.
	Parameter string
	// Path takes ids from the URL's path, as in /graphql/ID.
	Path bool
}

// Automatic configures automatic persisted queries. Clients in the modes safelist and require_id have none.
type Automatic struct {
	// Enabled turns them on.
	Enabled bool
	// MaxBytes bounds what the process keeps. Zero means 32 MiB.
	MaxBytes int `min:"0" max:"17179869184"`
	// Redis is the URL of a Redis by which routers share what they have learnt: redis://user:password@host:6379/0. Empty means
	// that they don't. While it is away, the process's own memory goes on.
	Redis string `format:"uri" schemes:"redis,rediss,unix"`
	// Prefix begins the keys in Redis. Empty means agora:apq: with the colon.
	Prefix string
	// TTL is how long Redis keeps a document after it was last sent. Zero means 24 h.
	TTL time.Duration `min:"0s" max:"8760h"`
	// Timeout bounds a command to Redis. Zero means 100 ms.
	Timeout time.Duration `min:"0s" max:"10s"`
}

// Documents are one manifest: a file, a URL or one in Redis.
type Documents struct {
	// File is a manifest in Apollo's format, an object from ids to texts, a list of pairs, or a folder of those and of .graphql
	// files. A relative path starts at the configuration file's folder.
	File string
	// Naming says which ids .graphql files have: sha256 of their text, name for their path without extension, or both. Empty
	// means both.
	Naming string `enum:"both,sha256,name"`
	// URL is where a manifest is, http or https.
	URL string `format:"uri"`
	// Headers are sent to the URL. Their values are secrets.
	Headers map[string]string
	// Redis is the URL of a Redis that router persist publishes to.
	Redis string `format:"uri" schemes:"redis,rediss,unix"`
	// Prefix begins the keys in Redis. Empty means agora.
	Prefix string
	// Client is whose documents those are that name no client of their own: a name, or name~version. Empty means everybody's.
	Client string
	// Interval is the time between two looks. Zero means 1 s for files, 5 s for Redis and 30 s for URLs.
	Interval time.Duration `min:"0s" max:"24h"`
}

// PersistedClient are the rules for one client.
type PersistedClient struct {
	// Mode says what it may send, as the mode for all. Empty means off. One that is laxer than that for all is only for
	// requests with the client's API key.
	Mode string `enum:"off,log,safelist,require_id"`
	// RequireKey ignores the name in requests without the client's API key, so that nobody else has its documents.
	RequireKey bool
}

// APIKeys says where the keys of partners are, which router apikey makes.
type APIKeys struct {
	// File is a JSON file of keys. A relative path starts at the configuration file's folder.
	File string
	// Redis is the URL of a Redis that has them instead.
	Redis string `format:"uri" schemes:"redis,rediss,unix"`
	// Prefix begins the key in Redis. Empty means agora.
	Prefix string
	// Header is the header that a key is in. Empty means X-API-Key.
	Header string
	// Interval is the time between two looks at them: a revoked key is good no longer than that. Zero means 5 s.
	Interval time.Duration `min:"0s" max:"1h"`
}

// locate makes relative paths start at a folder.
func (c *Config) locate(folder string) {
	paths := []*string{&c.Supergraph, &c.APIKeys.File, &c.Serve.TLS.CertFile, &c.Serve.TLS.KeyFile, &c.Serve.TLS.ClientCAFile}
	for i := range c.Persisted.Documents {
		paths = append(paths, &c.Persisted.Documents[i].File)
	}
	for _, path := range paths {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
}

// validate says what can't work.
func (p Persisted) validate() []error {
	var errs []error
	for i, d := range p.Documents {
		if one(d.File, d.URL, d.Redis) != 1 {
			errs = append(errs, fmt.Errorf("persisted.documents: entry %d: expected one of file, url and redis", i+1))
		}
	}
	if len(p.Documents) > 0 || p.BypassScope != "" {
		return errs
	}
	modes := map[string]string{"persisted.mode": p.Mode}
	for name, client := range p.Clients {
		modes["persisted.clients."+name] = client.Mode
	}
	for _, setting := range slices.Sorted(maps.Keys(modes)) {
		if mode := modes[setting]; mode == "safelist" || mode == "require_id" {
			errs = append(errs, fmt.Errorf("%s: %s refuses everything where there are no documents: name some in persisted.documents", setting, mode))
		}
	}
	return errs
}

func (k APIKeys) validate() []error {
	if one(k.File, k.Redis) > 1 {
		return []error{fmt.Errorf("api_keys: expected file or redis, not both")}
	}
	return nil
}

// one counts settings that are there.
func one(settings ...string) int {
	n := 0
	for _, s := range settings {
		if s != "" {
			n++
		}
	}
	return n
}

// On says whether anything of p is set.
func (p Persisted) On() bool {
	return p.Automatic.Enabled || len(p.Documents) > 0 || p.Mode != "" && p.Mode != "off" || len(p.Clients) > 0
}

// IDs says how requests may name documents.
func (p Persisted) IDs() *serve.DocumentIDs {
	return &serve.DocumentIDs{Parameter: p.Parameter, Path: p.Path}
}

// Engine configures the engine that resolves documents. Its connections to Redis live as long as the process.
func (p Persisted) Engine(log *slog.Logger) (persisted.Config, error) {
	cfg := persisted.Config{Mode: persisted.Mode(p.Mode), Clients: map[string]persisted.Client{}, Logger: log}
	if p.BypassScope != "" {
		cfg.Bypass = persisted.BypassByScope(p.BypassScope)
	}
	for name, client := range p.Clients {
		cfg.Clients[name] = persisted.Client{Mode: persisted.Mode(client.Mode), RequireKey: client.RequireKey}
	}
	if p.Automatic.Enabled {
		var err error
		if cfg.Automatic, err = p.Automatic.store(log); err != nil {
			return cfg, err
		}
	}
	for _, d := range p.Documents {
		m, err := d.manifest()
		if err != nil {
			return cfg, err
		}
		cfg.Manifests = append(cfg.Manifests, m)
	}
	return cfg, nil
}

func (a Automatic) store(log *slog.Logger) (automatic.Store, error) {
	memory := &automatic.Memory{MaxBytes: a.MaxBytes}
	if a.Redis == "" {
		return memory, nil
	}
	client, err := OpenRedis(a.Redis)
	if err != nil {
		return nil, err
	}
	return &automatic.Redis{Client: client, Memory: memory, Prefix: a.Prefix, TTL: a.TTL, Timeout: a.Timeout, Logger: log}, nil
}

// manifest is the source of documents. Only a file has to be there at the start.
func (d Documents) manifest() (persisted.Manifest, error) {
	m := persisted.Manifest{Client: d.Client, Interval: d.Interval, Optional: d.File == ""}
	usual := time.Second
	switch {
	case d.File != "":
		m.Source = store.File{Path: d.File, Naming: manifest.Naming(d.Naming)}
	case d.URL != "":
		header := make(http.Header, len(d.Headers))
		for name, value := range d.Headers {
			header.Set(name, value)
		}
		m.Source, usual = store.HTTP{URL: d.URL, Header: header}, 30*time.Second
	default:
		client, err := OpenRedis(d.Redis)
		if err != nil {
			return m, err
		}
		m.Source, usual = store.Redis{Client: client, Prefix: d.Prefix}, 5*time.Second
	}
	if m.Interval == 0 {
		m.Interval = usual
	}
	return m, nil
}

// Keys configures the verifier of API keys, before one of other credentials, which may be nil; ok is false if there are none
// to be verified.
func (k APIKeys) Keys(next apikey.Verifier, log *slog.Logger) (cfg apikey.Config, ok bool, err error) {
	cfg = apikey.Config{Header: k.HeaderName(), Interval: k.Interval, Next: next, Logger: log}
	switch {
	case k.File != "":
		cfg.Store = apikey.File{Path: k.File}
	case k.Redis != "":
		client, err := OpenRedis(k.Redis)
		if err != nil {
			return cfg, false, err
		}
		cfg.Store = apikey.Redis{Client: client, Prefix: k.Prefix}
	default:
		return cfg, false, nil
	}
	return cfg, true, nil
}

// HeaderName is the header that a key is in.
func (k APIKeys) HeaderName() string {
	if k.Header == "" {
		return "X-API-Key"
	}
	return k.Header
}

// OpenRedis makes a client for a URL such as redis://host:6379/0; it connects when it is first used. Commands end with their
// contexts, and nobody waits for more than one attempt: what has to go on without Redis goes on soon.
func OpenRedis(url string) (*redis.Client, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	options.DialTimeout = 2 * time.Second
	options.DialerRetries = 1
	return redis.NewClient(options), nil
}
