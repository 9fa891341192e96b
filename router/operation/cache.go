package operation

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/internal/store"
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

type cacheShard struct {
	kept *store.Store[*Document]

	// mu guards inflight, and what changes kept.
	mu       sync.Mutex
	inflight map[string]*parsing
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
		s.kept = store.New[*Document](bound(bytes, defaultCacheBytes) / cacheShards)
		s.inflight = map[string]*parsing{}
	}
	return c
}

// Document returns the document of a text, parsing it if it is not there.
func (c *Cache) Document(text string) (*Document, Errors) {
	hash := maphash.String(c.seed, text)
	s := &c.shards[hash%cacheShards]
	if e := s.kept.Get(hash); e != nil && e.Value.text == text {
		e.Use()
		return e.Value, nil
	}
	return c.miss(s, hash, text)
}

// Has reports whether the document of a text is kept.
func (c *Cache) Has(text string) bool {
	hash := maphash.String(c.seed, text)
	e := c.shards[hash%cacheShards].kept.Get(hash)
	return e != nil && e.Value.text == text
}

func (c *Cache) miss(s *cacheShard, hash uint64, text string) (*Document, Errors) {
	s.mu.Lock()
	if e := s.kept.Get(hash); e != nil && e.Value.text == text {
		s.mu.Unlock()
		return e.Value, nil
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
			s.kept.Keep(hash, p.document, weight(p.document))
		}
		s.mu.Unlock()
		close(p.done)
	}()
	p.document, p.errors = Parse(c.supergraph, text, c.limits)
	return p.document, p.errors
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
