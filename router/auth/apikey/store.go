package apikey

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Store keeps the records of keys.
type Store interface {
	// Load returns all records.
	Load(ctx context.Context) ([]Record, error)
	// Update replaces them by what change makes of them. Its error is returned, and nothing has changed then.
	Update(ctx context.Context, change func([]Record) ([]Record, error)) error
}

// maxLive is how many keys a client may have at a time: the old one and the new one, while it changes over.
const maxLive = 2

// Add adds a key, and drops those that have expired. A client that has two live keys has to revoke one first.
func Add(have []Record, r Record) ([]Record, error) {
	have = slices.DeleteFunc(slices.Clone(have), func(other Record) bool { return other.Expired(r.Created) })
	live := 0
	for _, other := range have {
		if other.Client == r.Client {
			live++
		}
	}
	if live >= maxLive {
		return nil, fmt.Errorf("client %s has %d live keys: revoke one first", r.Client, live)
	}
	return append(have, r), nil
}

// Revoke ends the key with an id at a time. A key that ends now is dropped.
func Revoke(have []Record, id string, now, at time.Time) ([]Record, error) {
	i := slices.IndexFunc(have, func(r Record) bool { return r.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("there is no key %s", id)
	}
	have = slices.Clone(have)
	if have[i].Expires.IsZero() || at.Before(have[i].Expires) {
		have[i].Expires = at
	}
	return slices.DeleteFunc(have, func(r Record) bool { return r.Expired(now) }), nil
}

// parse reads records as JSON, and refuses those that could never be used.
func parse(raw []byte) ([]Record, error) {
	var records []Record
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&records); err != nil {
		return nil, fmt.Errorf("list of API keys: %w", err)
	}
	for i, r := range records {
		if len(r.ID) != idLength || r.Client == "" || len(r.SHA256) != len(nobody.SHA256) {
			return nil, fmt.Errorf("list of API keys: entry %d lacks an id, a client or a hash", i)
		}
	}
	return records, nil
}

func format(records []Record) ([]byte, error) {
	if records == nil {
		records = []Record{}
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	raw, err := json.MarshalIndent(records, "", "  ")
	return append(raw, '\n'), err
}

// File keeps keys in a JSON file.
type File struct {
	// Path is that of the file.
	Path string
}

var _ Store = File{}

// Load reads the file.
func (f File) Load(context.Context) ([]Record, error) {
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	return parse(raw)
}

// Update writes the file anew, by a rename: routers read the old one or the new one. A file that is not there is an empty one.
// It is for one program at a time.
func (f File) Update(ctx context.Context, change func([]Record) ([]Record, error)) error {
	records, err := f.Load(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if records, err = change(records); err != nil {
		return err
	}
	raw, err := format(records)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".*")
	if err != nil {
		return err
	}
	_, err = next.Write(raw)
	err = errors.Join(err, next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), f.Path)
	}
	if err != nil {
		_ = os.Remove(next.Name())
	}
	return err
}

// Redis keeps keys in one JSON text.
type Redis struct {
	// Client is the connection.
	Client redis.UniversalClient
	// Prefix begins the name of the key in Redis. Empty means "agora".
	Prefix string
	// Timeout bounds a reading. Zero means 2 s.
	Timeout time.Duration
}

var _ Store = Redis{}

func (r Redis) key() string { return cmp.Or(r.Prefix, "agora") + ":apikeys" }

// Load reads the keys; none if nobody has made one.
func (r Redis) Load(ctx context.Context) ([]Record, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, 2*time.Second))
	defer cancel()
	raw, err := r.Client.Get(ctx, r.key()).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("redis %s: %w", r.key(), err)
	}
	return parse(raw)
}

// Update changes the keys in a transaction; it fails if another one comes first all the time.
func (r Redis) Update(ctx context.Context, change func([]Record) ([]Record, error)) error {
	const attempts = 100
	once := func(tx *redis.Tx) error {
		var records []Record
		raw, err := tx.Get(ctx, r.key()).Bytes()
		if err == nil {
			records, err = parse(raw)
		}
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if records, err = change(records); err != nil {
			return err
		}
		if raw, err = format(records); err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, r.key(), raw, 0).Err() })
		return err
	}
	for range attempts {
		if err := r.Client.Watch(ctx, once, r.key()); !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return fmt.Errorf("redis %s: others update it all the time", r.key())
}
