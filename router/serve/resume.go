package serve

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Subscriptions over server-sent events are resumed as the HTML standard has it
// (https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header): each event has an id, and a
// client whose connection broke sends its request again with the header Last-Event-ID. It gets what has happened since, if
// that is still kept (replay.go), and then the same subscription goes on. Otherwise it gets a new subscription, whose first
// event is an error that says that events have been lost.
//
// An id is that of the subscription, a secret of 130 bits, and the event's number. It is worth something only together with
// the same request from who has opened the subscription.
//
// For a while, the subscription goes on without a client. That is for clients that may come back: browsers' EventSource,
// which sends GET, and whatever else sends the header, be it empty.

const (
	lastEventHeader = "Last-Event-Id"
	// completeNumber stands for the number of the event complete: with it, nobody need come back.
	completeNumber = "end"
)

// Resume says how long subscriptions over server-sent events wait for clients whose connection broke, and what is kept for
// them.
type Resume struct {
	// Disabled ends subscriptions with their connection.
	Disabled bool `yaml:"disabled"`
	// Window is how long one waits. Zero means 15 s.
	Window time.Duration `yaml:"window" min:"0s" max:"10m"`
	// MaxWaiting is how many may wait at a time; others end with their connection. Zero means 1,000.
	MaxWaiting int `yaml:"max_waiting" min:"0" max:"1000000"`
	// MaxEvents is how many events of one subscription are kept, the newest ones. Zero means 100.
	MaxEvents int `yaml:"max_events" min:"0" max:"100000"`
	// MaxBytes bounds the events of one subscription that are kept. Zero means 256 KiB.
	MaxBytes int `yaml:"max_bytes" min:"0" max:"1073741824"`
	// MaxTotalBytes bounds those of all subscriptions together. Zero means 64 MiB.
	MaxTotalBytes int `yaml:"max_total_bytes" min:"0" max:"1099511627776"`
}

func (r Resume) withDefaults() Resume {
	r.Window = cmp.Or(r.Window, 15*time.Second)
	r.MaxWaiting = cmp.Or(r.MaxWaiting, 1000)
	r.MaxEvents = cmp.Or(r.MaxEvents, 100)
	r.MaxBytes = cmp.Or(r.MaxBytes, 256<<10)
	r.MaxTotalBytes = cmp.Or(r.MaxTotalBytes, 64<<20)
	return r
}

// asked says whether who sends a request for server-sent events may come back.
func (r Resume) asked(request *http.Request) bool {
	return !r.Disabled && (request.Method == http.MethodGet || request.Header[lastEventHeader] != nil)
}

// resumables are the subscriptions that can be resumed, by their ids.
type resumables struct {
	mu   sync.Mutex
	byID map[string]*resumable
	// waiting counts those without a client, bytes what is kept of all.
	waiting, bytes int
}

// resumable is a subscription that goes on for a while without its client. A goroutine of its own reads it, and keeps what it
// reads for who serves the client.
type resumable struct {
	h  *Handler
	id string
	// owner is a hash of the request and of who has sent it.
	owner [sha256.Size]byte
	// ctx ends with the subscription.
	ctx context.Context
	end context.CancelFunc
	// news is signalled for the client's side, taken for the subscription's.
	news, taken chan struct{}

	mu sync.Mutex
	replay
	// client is the connection that is served; nil while there is none.
	client *connection
	// forget ends the wait for a client.
	forget *time.Timer
	// waits says that it counts among those without a client.
	waits bool
	// operation is what the access log says of the newest event.
	operation Operation
}

// connection is one client's of a resumable subscription; lost ends it for another one.
type connection struct {
	ctx  context.Context
	lost context.CancelFunc
}

// resumeOrStart answers a request for server-sent events from who may come back.
func (h *Handler) resumeOrStart(ex *exchange, r *http.Request, accepts acceptance) {
	last := r.Header.Get(lastEventHeader)
	id, number, _ := strings.Cut(last, ".")
	if number == completeNumber {
		ex.WriteHeader(http.StatusNoContent) // which makes an EventSource stop
		return
	}
	owner := h.ownerOf(&ex.req)
	if s := h.resumables.find(id, owner); s != nil {
		if seen, err := strconv.ParseUint(number, 10, 64); err == nil && s.serve(ex, r, seen, nil) {
			return
		}
	}
	// The exchange may end long before the subscription.
	req := ex.req
	req.Variables, req.Extensions = append(json.RawMessage(nil), req.Variables...), append(json.RawMessage(nil), req.Extensions...)
	ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
	unanswered := context.AfterFunc(r.Context(), end)
	late := time.AfterFunc(h.cfg.HTTP.Timeout, end)
	sub, resp := h.subscribe(ctx, &req)
	ex.req = req
	if sub == nil {
		defer end()
		defer late.Stop()
		defer unanswered()
		ex.deliver(resp, accepts)
		return
	}
	late.Stop()
	unanswered()
	s := &resumable{
		h: h, id: rand.Text(), owner: owner, ctx: ctx, end: end, news: make(chan struct{}, 1), taken: make(chan struct{}, 1),
		replay: replay{bounds: h.cfg.Streams.Resume}, operation: Operation{Kind: "subscription"},
	}
	if !h.streams.enter() {
		end()
		h.closeSubscription(ctx, req.ID, sub)
		ex.refuse(&refusal{http.StatusServiceUnavailable, CodeUnavailable, goingAway}, mediaJSON)
		return
	}
	h.resumables.add(s)
	go s.read(sub, req.ID, h.expiry(req.Claims))
	var first []byte
	if last != "" {
		first = errorBody("EVENTS_LOST", "Events may have been lost: the subscription could not be resumed, and has begun anew.")
	}
	s.serve(ex, r, 0, first)
}

// read keeps the events of the subscription until it ends. As long as there is a client, it waits until that has taken what
// was read.
func (s *resumable) read(sub Subscription, id string, expiry time.Time) {
	defer s.h.streams.leave()
	defer s.h.closeSubscription(s.ctx, id, sub)
	if !expiry.IsZero() {
		expired := time.AfterFunc(time.Until(expiry), s.close)
		defer expired.Stop()
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			s.h.logPanic(s.ctx, id, panicked)
			s.keep(brokenStream())
			s.complete()
		}
	}()
	for {
		resp, err := sub.Next(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			if err == nil {
				resp.Release()
			}
			return
		case errors.Is(err, io.EOF):
			s.complete()
			return
		case err != nil:
			s.h.logStream(s.ctx, id, err)
			resp = brokenStream()
		}
		last := resp.Outcome != Executed
		s.keep(resp)
		if last {
			s.complete()
			return
		}
		for !s.isTaken() {
			select {
			case <-s.taken:
			case <-s.ctx.Done():
				return
			}
		}
	}
}

// keep takes what a response says, and releases it.
func (s *resumable) keep(resp *Response) {
	defer resp.Release()
	s.mu.Lock()
	s.operation = resp.Operation
	s.change(func() { s.add(appendEvent(nil, s.id, s.newest+1, resp.Body), s.client == nil) })
	s.mu.Unlock()
	signal(s.news)
}

// complete keeps the subscription's end for who has not got it yet.
func (s *resumable) complete() {
	s.mu.Lock()
	s.completed = true
	s.mu.Unlock()
	signal(s.news)
}

// change does something to the replay, and counts its bytes among those of all. mu is held.
func (s *resumable) change(do func()) {
	before := s.bytes
	do()
	all := &s.h.resumables
	all.mu.Lock()
	all.bytes += s.bytes - before
	over := all.bytes - s.bounds.MaxTotalBytes
	all.mu.Unlock()
	if over <= 0 {
		return
	}
	// Its own events only: nobody loses any by what others subscribe to.
	before = s.bytes
	s.shrink(s.bytes-over, s.client == nil)
	all.mu.Lock()
	all.bytes += s.bytes - before
	all.mu.Unlock()
}

// isTaken says whether the next event may be read: the client has taken the newest one, or there is no client.
func (s *resumable) isTaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client == nil || s.sent >= s.newest
}

// serve sends the events after the one that the client has seen, and then those that come, until the client has gone, is
// served elsewhere, or the subscription has ended. It is false if it has ended before that. first is a response to begin
// with; nil for none.
func (s *resumable) serve(ex *exchange, r *http.Request, seen uint64, first []byte) bool {
	ctx, lost := context.WithCancel(r.Context())
	defer lost()
	mine := &connection{ctx, lost}
	if !s.attach(mine, seen) {
		return false
	}
	defer s.detach(mine)
	if !ex.enterStreams() {
		return true
	}
	defer func() {
		s.mu.Lock()
		ex.operation = s.operation
		s.mu.Unlock()
	}()
	// What is being written to a client that has come back elsewhere is written to nobody.
	defer ex.interrupt(ctx)()
	out := newStream(ex, mediaEventStream).(*events)
	if !out.send(func(b []byte) []byte { return appendStart(b, s.id, seen, first) }) {
		return true
	}
	beat := time.NewTicker(s.h.cfg.Streams.Heartbeat)
	defer beat.Stop()
	for s.send(out, mine) {
		select {
		case <-s.news:
		case <-beat.C:
			if !out.heartbeat() {
				return true
			}
		case <-s.h.draining:
			return true
		case <-s.ctx.Done():
			return true
		case <-ctx.Done():
			return true
		}
	}
	return true
}

// send writes what there is. It is false when no more will come, or the client has gone.
func (s *resumable) send(out *events, mine *connection) bool {
	for {
		s.mu.Lock()
		text, missed := s.next()
		ends, here := s.completed && text == nil, s.client == mine
		s.mu.Unlock()
		switch {
		case !here:
			return false
		case missed > 0 && !out.send(func(b []byte) []byte { return appendMissed(b, missed) }):
			return false
		case ends:
			out.send(func(b []byte) []byte { return appendCompletion(b, s.id) })
			return false
		case text == nil:
			return true
		case !out.send(func(b []byte) []byte { return append(b, text...) }):
			return false
		}
		s.mu.Lock()
		if s.client == mine {
			s.change(s.advance)
		}
		s.mu.Unlock()
		signal(s.taken)
	}
}

// attach makes a connection the one that is served, from the event after seen. Another one that was served ends: it has lost
// its client without noticing.
func (s *resumable) attach(mine *connection, seen uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || seen > s.newest {
		return false
	}
	if s.client != nil {
		s.client.lost()
	}
	s.client, s.sent = mine, seen
	if s.forget != nil {
		s.forget.Stop()
	}
	s.wait(false)
	return true
}

// detach leaves the subscription waiting for its client, if a connection was the one that is served. It ends where too many
// wait, or the router drains.
func (s *resumable) detach(mine *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != mine {
		return
	}
	s.client = nil
	window := s.bounds.Window
	select {
	case <-s.h.draining:
		window = 0
	default:
		if !s.wait(true) {
			window = 0
		}
	}
	s.forget = time.AfterFunc(window, s.close)
	s.change(func() { s.shrink(s.bounds.MaxBytes, true) })
	signal(s.taken)
}

// wait counts the subscription among those that wait for their client, or no more. It is false if too many do. mu is held.
func (s *resumable) wait(waits bool) bool {
	all := &s.h.resumables
	all.mu.Lock()
	defer all.mu.Unlock()
	switch {
	case s.waits == waits:
	case !waits:
		all.waiting--
	case all.waiting >= s.bounds.MaxWaiting:
		return false
	default:
		all.waiting++
	}
	s.waits = waits
	return true
}

// close ends the subscription, and forgets it.
func (s *resumable) close() {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait(false)
	s.change(s.drop)
	s.h.resumables.remove(s)
}

func (all *resumables) add(s *resumable) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byID == nil {
		all.byID = map[string]*resumable{}
	}
	all.byID[s.id] = s
}

func (all *resumables) remove(s *resumable) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.byID, s.id)
}

// find is the subscription of an id, if it is the owner's.
func (all *resumables) find(id string, owner [sha256.Size]byte) *resumable {
	all.mu.Lock()
	defer all.mu.Unlock()
	if s := all.byID[id]; s != nil && s.owner == owner {
		return s
	}
	return nil
}

// closeAll ends all of them.
func (all *resumables) closeAll() {
	all.mu.Lock()
	list := make([]*resumable, 0, len(all.byID))
	for s := range maps.Values(all.byID) {
		list = append(list, s)
	}
	all.mu.Unlock()
	for _, s := range list {
		s.close()
	}
}

// ownerOf is a hash of a request, and of who has sent it. Of a token counts all but its times: a client may come back with a
// newer one.
func (h *Handler) ownerOf(req *Request) (sum [sha256.Size]byte) {
	parts := []any{req.Query, req.OperationName, req.DocumentID, req.alternative, string(req.Variables), string(req.Extensions)}
	if c := req.Claims; c != nil {
		raw := maps.Clone(c.Raw)
		for _, name := range []string{"exp", "iat", "nbf", "jti"} {
			delete(raw, name)
		}
		parts = append(parts, c.Issuer, c.Subject, c.Client, c.Scopes, raw)
	} else {
		for _, name := range append([]string{"Authorization", "Cookie"}, h.clients.credentials...) {
			parts = append(parts, req.Header[name])
		}
	}
	text, err := json.Marshal(parts)
	if err != nil {
		_, _ = rand.Read(sum[:]) // claims that are no JSON are nobody's twice
		return sum
	}
	return sha256.Sum256(text)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
