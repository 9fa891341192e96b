package operation

import (
	"hash/maphash"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// Cache keeps parsed documents by their text, for one supergraph. A hit takes one hash of the text, no lock and
// no allocation. Requests that miss on one text at the same time share one parse. Texts with errors are not
// kept. Safe for concurrent use.
type Cache struct {
	supergraph *supergraph.Supergraph
	limits     Limits
	seed       maphash.Seed
	shards     [cacheShards]cacheShard
}

const (
	cacheShards = 16
	// defaultCacheBytes keeps thousands of ordinary operations.
	defaultCacheBytes = 64 << 20
)

// cacheShard holds a table that is replaced, never changed, once it is published.
type cacheShard struct {
	table atomic.Pointer[map[uint64]*cached]

	mu       sync.Mutex
	weight   int
	most     int
	inflight map[string]*parsing
	// hand goes around the entries in order of arrival; those used since it last came by are spared.
	ring []*cached
	hand int
}

type cached struct {
	hash     uint64
	document *Document
	weight   int
	used     atomic.Bool
}

type parsing struct {
	done     chan struct{}
	document *Document
	errors   Errors
}

// NewCache returns an empty cache that parses with limits. bytes bounds the memory of what is kept, roughly; zero
// means 64 MiB. A document above a sixteenth of that is not kept.
func NewCache(sg *supergraph.Supergraph, limits Limits, bytes int) *Cache {
	c := &Cache{supergraph: sg, limits: limits, seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.most = bound(bytes, defaultCacheBytes) / cacheShards
		s.inflight = map[string]*parsing{}
		s.table.Store(&map[uint64]*cached{})
	}
	return c
}

// Document returns the document of a text, parsing it if it is not there.
func (c *Cache) Document(text string) (*Document, Errors) {
	hash := maphash.String(c.seed, text)
	s := &c.shards[hash%cacheShards]
	if e := (*s.table.Load())[hash]; e != nil && e.document.text == text {
		if !e.used.Load() {
			e.used.Store(true)
		}
		return e.document, nil
	}
	return c.miss(s, hash, text)
}

// Has reports whether the document of a text is kept.
func (c *Cache) Has(text string) bool {
	hash := maphash.String(c.seed, text)
	e := (*c.shards[hash%cacheShards].table.Load())[hash]
	return e != nil && e.document.text == text
}

func (c *Cache) miss(s *cacheShard, hash uint64, text string) (*Document, Errors) {
	s.mu.Lock()
	if e := (*s.table.Load())[hash]; e != nil && e.document.text == text {
		s.mu.Unlock()
		return e.document, nil
	}
	if p := s.inflight[text]; p != nil {
		s.mu.Unlock()
		<-p.done
		return p.document, p.errors
	}
	// The text may be part of a whole request body, which the document must not keep.
	text = strings.Clone(text)
	// Those who wait get this answer if parsing panics.
	p := &parsing{done: make(chan struct{}), errors: Errors{{Message: "Internal error.", Code: CodeParse}}}
	s.inflight[text] = p
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.inflight, text)
		if p.document != nil {
			s.keep(&cached{hash: hash, document: p.document, weight: weight(p.document)})
		}
		s.mu.Unlock()
		close(p.done)
	}()
	p.document, p.errors = Parse(c.supergraph, text, c.limits)
	return p.document, p.errors
}

// keep publishes a table with e. The caller holds mu.
func (s *cacheShard) keep(e *cached) {
	if e.weight > s.most {
		return
	}
	table := maps.Clone(*s.table.Load())
	if old := table[e.hash]; old != nil {
		s.drop(table, old)
	}
	for s.weight+e.weight > s.most && len(s.ring) > 0 {
		s.hand %= len(s.ring)
		if oldest := s.ring[s.hand]; oldest.used.Swap(false) {
			s.hand++
		} else {
			s.drop(table, oldest)
		}
	}
	table[e.hash] = e
	s.ring = append(s.ring, e)
	s.weight += e.weight
	s.table.Store(&table)
}

func (s *cacheShard) drop(table map[uint64]*cached, e *cached) {
	delete(table, e.hash)
	s.weight -= e.weight
	for i, other := range s.ring {
		if other == e {
			s.ring = append(s.ring[:i:i], s.ring[i+1:]...)
			if i < s.hand {
				s.hand--
			}
			return
		}
	}
}

// weight estimates the memory of a document in bytes.
func weight(d *Document) int {
	const node = 300
	total := 4*len(d.text) + 2048
	seen := map[*ast.FragmentDefinition]bool{}
	var values func(*ast.Value)
	values = func(v *ast.Value) {
		total += node
		for _, c := range v.Children {
			values(c.Value)
		}
	}
	var selections func(ast.SelectionSet)
	selections = func(set ast.SelectionSet) {
		for _, selection := range set {
			total += node
			switch s := selection.(type) {
			case *ast.Field:
				for _, a := range s.Arguments {
					total += node
					values(a.Value)
				}
				selections(s.SelectionSet)
			case *ast.InlineFragment:
				selections(s.SelectionSet)
			case *ast.FragmentSpread:
				if !seen[s.Definition] {
					seen[s.Definition] = true
					selections(s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, op := range d.selected {
		selections(op.definition.SelectionSet)
	}
	return total
}
