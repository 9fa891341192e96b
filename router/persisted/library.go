package persisted

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// library holds all documents, ready to be found. It is immutable, its memory of texts excepted, and replaced as a whole.
type library struct {
	documents []*document
	byID      map[idKey]*document
	byText    map[textKey]*document
	seen      seenTexts
}

// document is a persisted document.
type document struct {
	manifest.Document
	// normal is the SHA-256 of the normal form; of the text where that does not parse.
	normal [sha256.Size]byte
	// warm is set once Config.Warm has seen the text.
	warm bool
}

// idKey is how a document is asked for. client is a name, name~version or empty.
type idKey struct{ client, id string }

// textKey is how a text is looked up in a safelist: by the hash of its bytes or of its normal form.
type textKey struct {
	client string
	sum    [sha256.Size]byte
}

// bare is an id without the prefix sha256:, which says no more than the sixty-four digits do.
func bare(id string) string { return strings.TrimPrefix(id, "sha256:") }

// add takes a document unless its id is taken. It tells whether that stands for another text.
func (l *library) add(d *document) (conflict bool) {
	key := idKey{d.Client, bare(d.ID)}
	if other := l.byID[key]; other != nil {
		return other.Text != d.Text
	}
	l.byID[key] = d
	l.documents = append(l.documents, d)
	for _, sum := range [...][sha256.Size]byte{sha256.Sum256([]byte(d.Text)), d.normal} {
		// Of equal texts the one counts that lives longer.
		other := l.byText[textKey{d.Client, sum}]
		if other == nil || !other.RetireAt.IsZero() && (d.RetireAt.IsZero() || d.RetireAt.After(other.RetireAt)) {
			l.byText[textKey{d.Client, sum}] = d
		}
	}
	return false
}

// owners are the clients under whose names a caller's documents stand, the most special first.
func (c caller) owners() [3]string {
	owners := [3]string{"", c.name, ""}
	if c.version != "" {
		owners[0] = c.name + "~" + c.version
	}
	return owners
}

// find returns the caller's document with an id, or nil.
func (l *library) find(c caller, id string, now time.Time) *document {
	id = bare(id)
	for _, owner := range c.owners() {
		if d := l.byID[idKey{owner, id}]; d != nil && !d.Retired(now) {
			return d
		}
	}
	return nil
}

// findText returns the caller's document with a text or with one of the same normal form, or nil. tokens bounds what is
// parsed for it.
func (l *library) findText(c caller, text string, tokens int, now time.Time) *document {
	sum := sha256.Sum256([]byte(text))
	if d := l.findSum(c, sum, now); d != nil {
		return d
	}
	normal, known := l.seen.normal(sum)
	if !known {
		form, err := manifest.Normalise(text, tokens)
		if err != nil {
			return nil
		}
		normal = sha256.Sum256([]byte(form))
	}
	d := l.findSum(c, normal, now)
	if d != nil && !known {
		l.seen.remember(sum, normal)
	}
	return d
}

func (l *library) findSum(c caller, sum [sha256.Size]byte, now time.Time) *document {
	for _, owner := range c.owners() {
		if d := l.byText[textKey{owner, sum}]; d != nil && !d.Retired(now) {
			return d
		}
	}
	return nil
}

// maxSeen bounds the texts that are remembered: a hundred bytes each.
const maxSeen = 10_000

// seenTexts remembers the normal forms of texts that clients send in a notation of their own, and which unknown ones have been
// logged. When it is full it takes no more: that costs time only.
type seenTexts struct {
	mu     sync.RWMutex
	forms  map[[sha256.Size]byte][sha256.Size]byte
	logged map[textKey]bool
}

func (s *seenTexts) normal(sum [sha256.Size]byte) (normal [sha256.Size]byte, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	normal, known = s.forms[sum]
	return normal, known
}

func (s *seenTexts) remember(sum, normal [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms == nil {
		s.forms = map[[sha256.Size]byte][sha256.Size]byte{}
	}
	if len(s.forms) < maxSeen {
		s.forms[sum] = normal
	}
}

// first says whether an unknown text of a client is to be logged: once, as long as there is room to know that.
func (s *seenTexts) first(client, text string) bool {
	key := textKey{client, sha256.Sum256([]byte(text))}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logged[key] {
		return false
	}
	if s.logged == nil {
		s.logged = map[textKey]bool{}
	}
	if len(s.logged) < maxSeen {
		s.logged[key] = true
	}
	return true
}
