package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// Redis keeps one manifest in two keys, its text and a number that counts its versions. Both have one hash slot, so that a
// cluster takes them in one transaction.
type Redis struct {
	// Client is the connection.
	Client redis.UniversalClient
	// Prefix begins the names of the keys. Empty means "agora".
	Prefix string
	// Timeout bounds one look at the version, and one reading. Zero means 5 s.
	Timeout time.Duration
}

var _ Store = Redis{}

// attempts bounds how often an update is tried that others came before.
const attempts = 100

func (r Redis) key(name string) string {
	prefix := r.Prefix
	if prefix == "" {
		prefix = "agora"
	}
	return "{" + prefix + ":documents}:" + name
}

// String names the key.
func (r Redis) String() string { return "redis " + r.key("manifest") }

// Load reads the manifest if its number has changed. A manifest that nobody has published yet is an empty one.
func (r Redis) Load(ctx context.Context, since string) ([]manifest.Document, string, error) {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	version, err := r.Client.Get(ctx, r.key("version")).Result()
	switch {
	case errors.Is(err, redis.Nil):
		version = "none"
	case err != nil:
		return nil, "", fmt.Errorf("documents: %s: %w", r, err)
	}
	if version == since {
		return nil, version, nil
	}
	// Version and text together: the one that was read above may be old by now.
	values, err := r.Client.MGet(ctx, r.key("version"), r.key("manifest")).Result()
	if err != nil {
		return nil, "", fmt.Errorf("documents: %s: %w", r, err)
	}
	if number, ok := values[0].(string); ok {
		version = number
	}
	text, ok := values[1].(string)
	if !ok {
		return []manifest.Document{}, version, nil
	}
	documents, err := manifest.Parse([]byte(text))
	if err != nil {
		return nil, "", fmt.Errorf("documents: %s: %w", r, err)
	}
	return documents, version, nil
}

// Update changes the manifest in a transaction that is tried again if another one came first.
func (r Redis) Update(ctx context.Context, change func([]manifest.Document) ([]manifest.Document, error)) error {
	once := func(tx *redis.Tx) error {
		var documents []manifest.Document
		text, err := tx.Get(ctx, r.key("manifest")).Bytes()
		if err == nil {
			documents, err = manifest.Parse(text)
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if documents, err = change(documents); err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, r.key("manifest"), manifest.Format(documents), 0)
			p.Incr(ctx, r.key("version"))
			return nil
		})
		return err
	}
	for range attempts {
		err := r.Client.Watch(ctx, once, r.key("manifest"))
		if !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return fmt.Errorf("update documents: %s: others update it all the time", r)
}
