package responsecache

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/router/transport"
)

// ask is one query on its way through the cache.
type ask struct {
	*cached
	op      *operation
	session *session
	req     *transport.Request
	// parts are what is kept by itself: entities, or the whole answer of root fields.
	parts []part
	// born is the store's clock before anything was fetched.
	born int64
	// protected says that the keys hold the identity.
	protected bool
	// held are answers whose bytes are parts of this one's.
	held []*transport.Response
	// errors are what subgraphs' answers had of them, with paths of this one's.
	errors [][]byte
}

// part is something that is kept by itself.
type part struct {
	key string
	// list is the index in operation.lists, and representation what is sent of the entity; nil for a whole answer.
	list           int
	typeName       string
	representation []byte
	hint           *hint
	// value is the answer; nil as long as there is none.
	value []byte
	// left is how long it may be kept yet, and private says for whom; kept is false if it may not.
	left          time.Duration
	kept, private bool
}

// version is that of the form of entries: routers of another one don't read them.
const version = "1"

// unkeyed are headers that name a request, and don't change its answer.
var unkeyed = []string{"Traceparent", "Tracestate", "X-Request-Id"}

// ask takes a query apart; nil if it isn't of the form that the operation's text promises.
func (t *cached) ask(op *operation, s *session, req *transport.Request) *ask {
	a := &ask{cached: t, op: op, session: s, req: req, born: unborn, protected: op.protected()}
	base := a.base()
	if len(op.lists) == 0 {
		sum := sha256.Sum256(append(base, req.Variables...))
		a.parts = []part{{key: string(sum[:]), hint: &op.root}}
		return a
	}
	sent := make([][]byte, len(op.lists))
	for name, value := range members(req.Variables) {
		if i := slices.IndexFunc(op.lists, func(l entityList) bool { return l.variable == name }); i >= 0 {
			sent[i] = value
			continue
		}
		base = appendPart(appendPart(base, name), value)
	}
	sum := sha256.Sum256(base)
	for i := range op.lists {
		list, ok := elements(sent[i])
		if !ok {
			return nil
		}
		for _, representation := range list {
			if !a.entity(sum[:], i, representation) {
				return nil
			}
		}
	}
	if len(a.parts) == 0 {
		return nil
	}
	return a
}

// entity adds an entity; it returns false if it can't be judged.
func (a *ask) entity(base []byte, list int, representation []byte) bool {
	name := member(representation, "__typename")
	if len(name) < 2 {
		return false
	}
	typeName := string(name[1 : len(name)-1])
	h := a.op.lists[list].hintOf(typeName)
	if h == nil {
		return false
	}
	b := make([]byte, 0, 256)
	b = appendPart(appendPart(append(b, base...), a.op.lists[list].key), representation)
	sum := sha256.Sum256(b)
	a.parts = append(a.parts, part{key: string(sum[:]), list: list, typeName: typeName, representation: representation, hint: h})
	return true
}

// base is what the keys of all parts of a query have in common, but for its variables.
func (a *ask) base() []byte {
	req := a.req
	b := make([]byte, 0, 1024)
	b = appendPart(appendPart(appendPart(b, version), a.name), req.Query)
	b = appendPart(b, req.OperationName)
	if a.protected {
		b = appendPart(b, a.session.identity)
	} else {
		b = appendPart(b, "")
	}
	var names []string
	for name := range req.Header {
		if !slices.Contains(a.ignored, name) && !slices.Contains(unkeyed, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b = binary.AppendUvarint(appendPart(b, name), uint64(len(req.Header[name])))
		for _, value := range req.Header[name] {
			b = appendPart(b, value)
		}
	}
	return b
}

// answer finds what is there, fetches what isn't, and puts both together.
func (a *ask) answer(ctx context.Context) (*transport.Response, error) {
	defer a.release()
	open := a.find(ctx)
	if len(open) == 0 {
		return a.response(), nil
	}
	if a.session.isDirect() || a.op.passes() {
		return a.finish(ctx, open)
	}
	own, others := a.cache.flights.claim(a.keys(open))
	if len(own) > 0 {
		own = at(open, own)
		whole, err := a.lead(ctx, own)
		if whole != nil || err != nil {
			return whole, err
		}
	}
	for _, other := range others {
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	// What others have fetched is looked up, so that it is held against marks. Nobody waits twice.
	if open = a.missing(); len(open) > 0 {
		if open = a.find(ctx); len(open) > 0 {
			return a.finish(ctx, open)
		}
	}
	return a.response(), nil
}

// lead fetches parts that others may wait for.
func (a *ask) lead(ctx context.Context, own []int) (*transport.Response, error) {
	defer a.cache.flights.end(a.keys(own))
	return a.fetch(ctx, own)
}

// finish fetches all that is missing yet.
func (a *ask) finish(ctx context.Context, open []int) (*transport.Response, error) {
	whole, err := a.fetch(ctx, open)
	if whole != nil || err != nil {
		return whole, err
	}
	return a.response(), nil
}

// find looks up what has no answer yet, and returns what has none then.
func (a *ask) find(ctx context.Context) (open []int) {
	first := a.born == unborn
	open = a.missing()
	var keys []string
	if !a.session.isDirect() {
		keys = a.keys(open)
	}
	f := a.cache.store.get(ctx, keys, a.session.asks())
	a.born = f.clock
	a.session.learn(f.wrote)
	if a.session.isDirect() {
		f.entries = nil
	}
	now := time.Now()
	var stale []int
	var age time.Duration
	for i, e := range f.entries {
		if e == nil {
			continue
		}
		p := &a.parts[open[i]]
		p.value, p.kept, p.private = e.value, true, e.Private
		p.left = max(0, time.UnixMilli(e.Fresh).Sub(now))
		age = max(age, now.Sub(time.UnixMilli(e.Made)))
		if p.left == 0 {
			stale = append(stale, open[i])
		}
	}
	had := len(open)
	if len(stale) > 0 {
		a.refresh(ctx, stale)
	}
	open = a.missing()
	if first { // who has waited for another one's fetch has missed already
		hits := had - len(open) - len(stale)
		a.session.count(hits, len(stale), len(open), age)
		a.cache.observer.LookedUp(a.name, hits, len(stale), len(open), a.session.isDirect())
	}
	return open
}

// missing are the parts without an answer.
func (a *ask) missing() (open []int) {
	for i := range a.parts {
		if a.parts[i].value == nil {
			open = append(open, i)
		}
	}
	return open
}

func (a *ask) keys(parts []int) []string {
	keys := make([]string, len(parts))
	for i, p := range parts {
		keys[i] = a.parts[p].key
	}
	return keys
}

// at are the elements of a list at indexes.
func at(list, indexes []int) []int {
	out := make([]int, len(indexes))
	for i, index := range indexes {
		out[i] = list[index]
	}
	return out
}

func (a *ask) release() {
	for _, resp := range a.held {
		resp.Release()
	}
}

// unborn is the birth of nothing: no look-up has been made yet.
const unborn = -1
