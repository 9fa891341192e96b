package responsecache

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/serve"
)

// WroteHeader is the header by which a client's reads are known to follow its writes: it sends what it got with the answer
// to a mutation.
const WroteHeader = "Agora-Wrote"

// session is a client's request on its way. It is safe for concurrent use.
type session struct {
	// identity tells apart who may see what; empty for nobody.
	identity string
	// writers are the names that the client may have written under.
	writers []string
	// token names the client's writes.
	token string

	mu sync.Mutex
	// direct says that nothing kept may be given: the client has written lately, or follows events.
	direct bool
	wrote  bool
	// known says that it was looked up whether the client has written.
	known bool
	// hits, stale ones and misses are counted in entities and requests of root fields.
	hits, stale, misses int
	// age is that of the oldest entry that was given.
	age time.Duration
}

type sessionKey struct{}

// sessionOf is the session of a request; one of its own for what doesn't come from a client.
func sessionOf(ctx context.Context) *session {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		return s
	}
	return &session{}
}

// OnRequest begins a session.
func (c *Cache) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	s := &session{token: req.Header.Get(WroteHeader)}
	if claims := req.Claims; claims != nil && (claims.Subject != "" || claims.Client != "") {
		s.identity = identity(claims)
		s.writers = append(s.writers, digest("subject", claims.Issuer, claims.Subject, claims.Client))
	}
	if s.token != "" {
		s.writers = append(s.writers, digest("token", s.token))
	}
	return context.WithValue(ctx, sessionKey{}, s), nil
}

// identity is one for credentials that show the same.
func identity(claims *auth.Claims) string {
	scopes := slices.Sorted(slices.Values(claims.Scopes))
	return digest(append([]string{"identity", claims.Issuer, claims.Subject, claims.Client}, scopes...)...)
}

// digest is a hash of words.
func digest(words ...string) string {
	var b []byte
	for _, w := range words {
		b = appendPart(b, w)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// appendPart appends a part so that parts can't run into each other.
func appendPart[T string | []byte](b []byte, part T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// OnResponse tells the client how old its answer is, and by what it is known as one that has written.
func (c *Cache) OnResponse(ctx context.Context, _ *serve.Request, resp *serve.Response) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wrote && s.hits+s.stale+s.misses == 0 {
		return
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	if s.wrote && c.readYourWrites() > 0 {
		resp.Header.Set(WroteHeader, s.token)
	}
	if s.age >= time.Second {
		age(resp.Header, int(s.age/time.Second))
	}
	if c.cfg.DebugHeader != "" {
		resp.Header.Set(c.cfg.DebugHeader, "hits="+strconv.Itoa(s.hits)+", stale="+strconv.Itoa(s.stale)+", misses="+strconv.Itoa(s.misses))
	}
}

// age tells how old an answer is. What is left of its time is counted from its beginning then (RFC 9111, section 4.2.3).
func age(header http.Header, seconds int) {
	scope, left, ok := strings.Cut(header.Get("Cache-Control"), "max-age=")
	n, err := strconv.Atoi(left)
	if ok && err == nil {
		header.Set("Cache-Control", scope+"max-age="+strconv.Itoa(n+seconds))
		header.Set("Age", strconv.Itoa(seconds))
	}
}

func (c *Cache) readYourWrites() time.Duration {
	if c.cfg.ReadYourWrites == 0 {
		return 5 * time.Second
	}
	return c.cfg.ReadYourWrites
}

// writes remembers that the session's client writes: from now on, it reads what it has written.
func (c *Cache) writes(ctx context.Context, s *session) {
	s.mu.Lock()
	s.direct, s.wrote = true, true
	if s.token == "" {
		s.token = rand.Text()
		s.writers = append(s.writers, digest("token", s.token))
	}
	writers := s.writers
	s.mu.Unlock()
	if d := c.readYourWrites(); d > 0 {
		c.store.write(ctx, writers, d)
	}
}

// follow makes all reads of the session direct: an event says that something has changed just now.
func (s *session) follow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.direct = true
}

func (s *session) isDirect() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.direct
}

// asks are the names by which it is to be looked up whether the client has written lately.
func (s *session) asks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known || s.direct {
		return nil
	}
	return s.writers
}

// learn takes what was found about the client's writes.
func (s *session) learn(wrote bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = true
	s.direct = s.direct || wrote
}

// count adds to what the client is told.
func (s *session) count(hits, stale, misses int, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits += hits
	s.stale += stale
	s.misses += misses
	s.age = max(s.age, age)
}
