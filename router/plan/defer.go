package plan

import (
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/router/operation"
)

// With @defer, the answer comes in parts: what no deferred fragment holds alone comes first, and needs its own requests
// only. A part that comes later is planned like a further operation at the positions where it begins: what has come
// there for the first part tells keys, the fields themselves are asked by entries of the part's own. So the first part
// asks for the keys of the others, and no request serves two parts. A field that no entry can bring, since its object
// is no entity, is not deferred; what is below it still may be.

// deferredBy names a part of the answer, as seen from one selection set: the uses of @defer whose fields it holds.
// Empty for the first part.
type deferredBy []operation.DeferredBy

// key is equal for equal parts, seen from the same selection set.
func (d deferredBy) key() string {
	if len(d) == 0 {
		return ""
	}
	return fmt.Sprint(d.numbers())
}

func (d deferredBy) numbers() []int {
	var out []int
	for _, by := range d {
		out = append(out, by.Number, by.Up)
	}
	return out
}

// below is the same part as seen from a selection set below a field.
func (d deferredBy) below() deferredBy {
	if len(d) == 0 {
		return nil
	}
	out := slices.Clone(d)
	for i := range out {
		out[i].Up++
	}
	return out
}

// later is what is wanted for another part of the answer.
type later struct {
	in    deferredBy
	wants *wants
}

// delivered are fields of one selection set that are delivered in one part.
type delivered struct {
	in     deferredBy
	fields []*operation.Field
}

// split divides fields into those of a part and those of others.
func (w *wanted) split(fields []*operation.Field, in deferredBy) (own []*operation.Field, rest []delivered) {
	same := func(f *operation.Field) bool { return w.inlined[f] || slices.Equal(in, f.Deferred) }
	if !slices.ContainsFunc(fields, func(f *operation.Field) bool { return !same(f) }) {
		return fields, nil
	}
	for _, f := range fields {
		if same(f) {
			own = append(own, f)
			continue
		}
		at := slices.IndexFunc(rest, func(d delivered) bool { return slices.Equal(d.in, f.Deferred) })
		if at < 0 {
			at = len(rest)
			rest = append(rest, delivered{in: f.Deferred})
		}
		rest[at].fields = append(rest[at].fields, f)
	}
	return own, rest
}

// payload is a part of the answer that is delivered later.
type payload struct {
	number int
	// groups answer it.
	groups []*group
}

// index orders parts; the first one is nil.
func (p *payload) index() int {
	if p == nil {
		return 0
	}
	return p.number + 1
}

// postponed is what is to be placed for a part that begins at a position.
type postponed struct {
	later
	at *position
	// site is what is there by then, level how it was solved.
	site  []*visit
	level *level
}

// postpone notes what is delivered later of the objects at a position.
func (b *placer) postpone(at *position, site []*visit, l *level) {
	if l == nil {
		return
	}
	for _, each := range l.wants.later {
		b.postponed = append(b.postponed, postponed{each, at, site, l})
	}
}

// resolveLater decides who answers what was postponed, part by part, and makes the groups. What can't be deferred goes
// into inline.
func (b *builder) resolveLater() {
	for len(b.postponed) > 0 && b.ctx.Err() == nil {
		p := b.postponed[0]
		b.postponed = b.postponed[1:]
		b.part = b.partOf(p.at, p.in)
		l := &level{wants: p.wants, arrived: p.level.arrived, live: p.level.live, root: p.level.root, away: true}
		site := slices.Clone(p.site[:len(l.arrived)])
		for _, v := range p.site[len(l.arrived):] {
			if v.group != nil || v.same != nil { // Else nothing needed it after all.
				site, l.entered = append(site, v), append(l.entered, v.view)
			}
		}
		if b.resolved(l, p.at, site) {
			continue
		}
		sol := b.search(l)
		if sol.missing != nil {
			b.cannotDefer(l)
			continue
		}
		b.part.groups = union(b.part.groups, b.place(p.at, sol, site))
	}
	b.part = nil
}

// begun is where a part was begun at a position.
type begun struct {
	part  *payload
	level *level
	site  []*visit
}

// resolved reports whether the same was asked before for objects that the same requests bring: many paths lead to a
// position where objects on the way are of several types. It notes what is asked.
func (b *builder) resolved(l *level, at *position, site []*visit) bool {
	for _, other := range b.begun[at] {
		if other.part == b.part && other.level.wants == l.wants && other.level.live.Equal(l.live) && slices.EqualFunc(other.site, site, together) {
			return true
		}
	}
	b.begun[at] = append(b.begun[at], begun{b.part, l, site})
	return false
}

// together reports whether two visits bring the same objects: one request came the same way, from objects of the same types.
func together(v, other *visit) bool {
	if v.real() != other.real() {
		return false
	}
	for v.above != nil && other.above != nil {
		if !v.parents.Equal(other.parents) {
			return false
		}
		v, other = v.above, other.above
	}
	return v.above == nil && other.above == nil && v.real() == other.real()
}

// cannotDefer notes which fields no entry can bring.
func (b *builder) cannotDefer(l *level) {
	before := len(b.inline)
	for i := range l.wants.list {
		w := &l.wants.list[i]
		alone := *l
		alone.wants = b.wanted.alone(w)
		if w.field != nil && b.search(&alone).missing != nil {
			b.inline = append(b.inline, w.field)
		}
	}
	if len(b.inline) > before {
		return
	}
	for i := range l.wants.list {
		if f := l.wants.list[i].field; f != nil {
			b.inline = append(b.inline, f)
		}
	}
	if len(b.inline) == before { // Only the runtime type is wanted, and nobody knows it.
		b.inline = appendAll(b.inline, b.op.Selections)
	}
}

// appendAll appends fields and all below them.
func appendAll(to, fields []*operation.Field) []*operation.Field {
	for _, f := range fields {
		to = appendAll(append(to, f), f.Selections)
	}
	return to
}

// maxRounds bounds how often planning begins again because something can't be deferred.
const maxRounds = 16

// again is a builder for the same operation that knows what can't be deferred.
func (b *builder) again(rounds int, cfg Config) *builder {
	next := newBuilder(b.ctx, b.sg, b.op, cfg)
	if rounds >= maxRounds {
		b.inline = appendAll(b.inline, b.op.Selections)
	}
	for f := range b.wanted.inlined {
		next.wanted.inlined[f] = true
	}
	for _, f := range b.inline {
		next.wanted.inlined[f] = true
	}
	return next
}

// partOf finds or makes a part, given as seen from a position. It is told by where its fragments stand.
func (b *builder) partOf(at *position, in deferredBy) *payload {
	var key string
	for _, by := range in {
		key += fmt.Sprintf("%d@%d ", by.Number, b.numberOf(at.up(by.Up)))
	}
	if known := b.known[key]; known != nil || key == "" {
		return known
	}
	p := &payload{number: len(b.parts)}
	b.parts = append(b.parts, p)
	b.known[key] = p
	return p
}
