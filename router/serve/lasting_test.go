package serve_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/serve"
)

// feed is an engine whose every request is a subscription to what tell says. It answers like refuse, if that is set.
type feed struct {
	name         string
	begun, ended atomic.Int32
	refuse       atomic.Pointer[serve.Response]
	// got is the last request.
	got atomic.Pointer[serve.Request]

	mu      sync.Mutex
	streams map[*feedStream]bool
}

func newFeed(name string) *feed { return &feed{name: name, streams: map[*feedStream]bool{}} }

func (f *feed) Execute(context.Context, *serve.Request) *serve.Response {
	return &serve.Response{Body: []byte(`{"data":{"from":"` + f.name + `"}}`)}
}

func (f *feed) Subscribe(_ context.Context, req *serve.Request) (serve.Subscription, *serve.Response) {
	own := *req
	f.got.Store(&own)
	if refused := f.refuse.Load(); refused != nil && (req.Query == "" || refused.Outcome != serve.TextNeeded) {
		own := *refused
		return nil, &own
	}
	if req.Query == "" {
		req.Query = "subscription { found }"
	}
	s := &feedStream{f, make(chan string, 1000)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams[s] = true
	f.begun.Add(1)
	return s, nil
}

// tell sends an event to all who have subscribed; "" completes their subscriptions.
func (f *feed) tell(event string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		s.events <- event
	}
}

// unread counts the events that have been told and not read.
func (f *feed) unread() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.streams {
		n += len(s.events)
	}
	return n
}

type feedStream struct {
	*feed
	events chan string
}

func (s *feedStream) Next(ctx context.Context) (*serve.Response, error) {
	select {
	case event := <-s.events:
		if event == "" {
			return nil, io.EOF
		}
		return &serve.Response{Body: []byte(`{"data":{"` + s.name + `":"` + event + `"}}`)}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *feedStream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, s)
	s.ended.Add(1)
	return nil
}

// tokens is a verifier that knows some.
type tokens []string

func (known tokens) FromHeader(_ context.Context, header http.Header) (*auth.Claims, error) {
	given := header.Get("Authorization")
	for _, token := range known {
		if given == "Bearer "+token {
			return &auth.Claims{Subject: token}, nil
		}
	}
	return nil, &auth.Error{Reason: "nobody knows it", Err: errors.New("details")}
}

// client is one stream of a client, whatever the transport: what it says, without heartbeats.
type client struct {
	transport string
	said      chan string
}

// hears expects what the client is told next. "end" is the end of the stream.
func (c client) hears(t *testing.T, what, want string) {
	t.Helper()
	select {
	case got, open := <-c.said:
		if !open {
			got = "end"
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s: got %s, want %s", c.transport, what, got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: %s: nothing came within 10 s, want %s", c.transport, what, want)
	}
}

// clients subscribe over each transport, as who has the token.
func clients(t *testing.T, server *httptest.Server, token string) []client {
	t.Helper()
	const query = "subscription { news }"
	var all []client
	for transport, accept := range map[string]string{"server-sent events": "text/event-stream", "multipart": `multipart/mixed;subscriptionSpec="1.0"`} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(`{"query":"`+query+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {accept}, "Authorization": {"Bearer " + token}}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		c := client{transport, make(chan string)}
		go func() {
			defer close(c.said)
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
				if strings.Contains(lines.Text(), `{"`) {
					c.said <- lines.Text()
				}
			}
		}()
		all = append(all, c)
	}
	p := dial(t, server)
	p.say(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + token + `"}}`)
	p.hear(`{"type":"connection_ack"}`)
	p.subscribe("1", query)
	c := client{"WebSocket", make(chan string)}
	go func() {
		defer close(c.said)
		for {
			message, err := p.read()
			if err != nil {
				c.said <- err.Error()
				return
			}
			c.said <- message
		}
	}()
	return append(all, c)
}

// doors makes handlers that replace each other.
type doors struct {
	*httptest.Server
	t     *testing.T
	front *serve.Handler
}

func newDoors(t *testing.T, cfg serve.Config) *doors {
	t.Helper()
	d := &doors{t: t}
	d.front = d.handler(cfg)
	d.Server = httptest.NewServer(d.front)
	t.Cleanup(func() {
		if err := d.front.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		d.Close()
	})
	return d
}

func (d *doors) handler(cfg serve.Config) *serve.Handler {
	d.t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(d.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	h, err := serve.New(cfg)
	if err != nil {
		d.t.Fatal(err)
	}
	return h
}

func (d *doors) replace(cfg serve.Config) {
	d.t.Helper()
	d.front.Replace(d.handler(cfg))
}

func TestSubscriptionsGoOnBehindANewConfiguration(t *testing.T) {
	old, next := newFeed("old"), newFeed("next")
	d := newDoors(t, serve.Config{Engine: old, Verifier: tokens{"ann"}})
	all := clients(t, d.Server, "ann")
	eventually(t, "all subscriptions begin", func() bool { return old.begun.Load() == 3 })
	tell := func(from *feed, event string) {
		t.Helper()
		from.tell(event)
		for _, c := range all {
			c.hears(t, "an event", `{"data":{"`+from.name+`":"`+event+`"}}`)
		}
	}
	tell(old, "first")
	d.replace(serve.Config{Engine: next, Verifier: tokens{"ann"}})
	eventually(t, "the old ones end", func() bool { return old.ended.Load() == 3 })
	tell(next, "second")
	got := next.got.Load()
	if !got.Renewed || got.Claims == nil || got.Claims.Subject != "ann" || got.Query != "subscription { news }" {
		t.Errorf("the new configuration's engine is asked by %+v", got)
	}

	// A subgraph that is away, or no room, is no reason to end: the old subscription goes on.
	full := newFeed("full")
	full.refuse.Store(serve.Refuse(serve.Unavailable, "OVERLOADED", "no room"))
	d.replace(serve.Config{Engine: full, Verifier: tokens{"ann"}})
	eventually(t, "the new configuration is asked", func() bool { return full.got.Load() != nil })
	tell(next, "third")

	// Here, the field is gone.
	without := newFeed("without")
	without.refuse.Store(serve.Refuse(serve.RequestError, "GRAPHQL_VALIDATION_FAILED", "no such field"))
	d.replace(serve.Config{Engine: without, Verifier: tokens{"ann"}})
	for _, c := range all {
		c.hears(t, "its last words", "GRAPHQL_VALIDATION_FAILED")
		if c.transport != "WebSocket" {
			c.hears(t, "after that", "end")
		}
	}
	eventually(t, "the old ones end", func() bool { return next.ended.Load() == 3 })
}

func TestSubscriptionsEndWithTheirClientsAccess(t *testing.T) {
	old, next := newFeed("old"), newFeed("next")
	d := newDoors(t, serve.Config{Engine: old, Verifier: tokens{"ann", "ben"}})
	anns, bens := clients(t, d.Server, "ann"), clients(t, d.Server, "ben")
	eventually(t, "all subscriptions begin", func() bool { return old.begun.Load() == 6 })
	d.replace(serve.Config{Engine: next, Verifier: tokens{"ann"}})
	for _, c := range bens {
		c.hears(t, "its last words", "UNAUTHENTICATED")
	}
	eventually(t, "the new ones begin", func() bool { return next.begun.Load() == 3 && old.ended.Load() == 6 })
	next.tell("yours")
	for _, c := range anns {
		c.hears(t, "an event", "yours")
	}
}

func TestASocketsNextOperationIsUnderTheNewConfiguration(t *testing.T) {
	old, next := newFeed("old"), newFeed("next")
	d := newDoors(t, serve.Config{Engine: old, Verifier: tokens{"ann", "ben"}})
	ann, ben := dial(t, d.Server), dial(t, d.Server)
	for name, p := range map[string]*peer{"ann": ann, "ben": ben} {
		p.say(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + name + `"}}`)
		p.hear(`{"type":"connection_ack"}`)
	}
	d.replace(serve.Config{Engine: next, Verifier: tokens{"ann"}, Streams: serve.Streams{MaxOperations: 1}})
	ann.subscribe("1", "subscription { news }")
	eventually(t, "the subscription begins", func() bool { return next.begun.Load() == 1 })
	next.tell("yours")
	ann.hear(`{"id":"1","type":"next","payload":{"data":{"next":"yours"}}}`)
	ann.subscribe("2", "subscription { news }")
	ann.hear(`{"id":"2","type":"error","payload":[{"message":"more than 1 operations on one connection","extensions":{"code":"TOO_MANY_OPERATIONS"}}]}`)
	ben.subscribe("1", "subscription { news }")
	ben.closed(4403, "Forbidden")
}

func TestAnAutomaticDocumentIsKnownBehindANewConfiguration(t *testing.T) {
	old, next := newFeed("old"), newFeed("next")
	ids := &serve.DocumentIDs{}
	d := newDoors(t, serve.Config{Engine: old, DocumentIDs: ids})
	resp := subscribeTo(t.Context(), t, d.Server, "?documentId=abc")
	eventually(t, "all subscriptions begin", func() bool { return old.begun.Load() == 1 })
	next.refuse.Store(serve.Refuse(serve.TextNeeded, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"))
	d.replace(serve.Config{Engine: next, DocumentIDs: ids})
	eventually(t, "the new ones begin", func() bool { return next.begun.Load() == 1 })
	if got := next.got.Load(); got.Query != "subscription { found }" || got.DocumentID != "abc" {
		t.Errorf("got %+v", got)
	}
	_ = resp.Body.Close()
}

func TestNothingKeepsWhatStoodBehindAReplacedHandler(t *testing.T) {
	first := newFeed("first")
	gone := []weak.Pointer[feed]{weak.Make(first)}
	d := newDoors(t, serve.Config{Engine: first})
	all := clients(t, d.Server, "ann")
	for range 3 {
		engine := newFeed("some")
		gone = append(gone, weak.Make(engine))
		d.replace(serve.Config{Engine: engine})
		all = append(all, clients(t, d.Server, "ann")...)
		eventually(t, "all are there", func() bool { return int(engine.begun.Load()) == len(all) })
	}
	last := newFeed("last")
	d.replace(serve.Config{Engine: last})
	eventually(t, "all are behind the last", func() bool { return int(last.begun.Load()) == len(all) })
	eventually(t, "the garbage collector takes the others", func() bool {
		runtime.GC()
		return !slices.ContainsFunc(gone, func(p weak.Pointer[feed]) bool { return p.Value() != nil })
	})
}
