package responsecache

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// entry is one answer that is kept. It is immutable.
type entry struct {
	// Born is the store's clock before the fetch began: marks that are not older end the entry.
	Born int64 `json:"b"`
	// Made is when the answer came, Fresh and Stale until when it may be given, in Unix milliseconds.
	Made  int64 `json:"m"`
	Fresh int64 `json:"f"`
	Stale int64 `json:"s"`
	// Private says that it is for one identity alone.
	Private bool `json:"p,omitempty"`
	// Tags are the marks that it has to be held against.
	Tags []string `json:"t"`
	// value is the JSON of an entity, or the body of a whole answer.
	value []byte
}

// size is about what the entry takes in memory.
func (e *entry) size() int {
	n := len(e.value) + 256
	for _, tag := range e.Tags {
		n += len(tag) + 16
	}
	return n
}

// encode writes the entry as a line of JSON and the value.
func (e *entry) encode() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode a cache entry: %w", err)
	}
	return append(append(b, '\n'), e.value...), nil
}

func decode(b []byte) (*entry, error) {
	head, value, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return nil, fmt.Errorf("decode a cache entry: it has no value")
	}
	e := &entry{value: value}
	if err := json.Unmarshal(head, e); err != nil {
		return nil, fmt.Errorf("decode a cache entry: %w", err)
	}
	return e, nil
}

// usable says whether the entry may still be given.
func (e *entry) usable(now time.Time) bool { return now.UnixMilli() < e.Stale }

// found is what a look-up yields.
type found struct {
	// entries are those of the keys, nil for each that is not there, or no good any more.
	entries []*entry
	// clock is the time of the store, for the births of entries that are fetched from now on.
	clock int64
	// wrote says that one of the names has written lately.
	wrote bool
}

// store keeps entries, marks, and who has written. Nothing in it is lost that can't be fetched again, so reads and puts have
// no errors: what can't be reached is not there.
type store interface {
	// get looks keys up, and whether any of the writers has written lately.
	get(ctx context.Context, keys, writers []string) found
	// put keeps entries by their keys.
	put(ctx context.Context, keys []string, entries []*entry)
	// mark ends all entries that have one of the tags. It holds for this router in any case; the error says that others
	// may not know yet.
	mark(ctx context.Context, tags []string) error
	// write remembers for a time that somebody has written.
	write(ctx context.Context, writers []string, d time.Duration)
	close() error
}
