package execute

import (
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// represented is what one _entities field of a fetch was asked for: the representations in its list, each
// once, and the objects that take the answers.
type represented struct {
	objects []asker
	sent    []representation
	// table finds equal representations: open addressing, index in sent + 1, a power of two in size.
	table []int32
	// listed says that the answer had a list of entities, answered counts those in it.
	listed   bool
	answered int
	// alike holds for each target the first one with a congruent selection.
	alike []int32
}

// compare finds the targets whose selections are congruent.
func (r *represented) compare(targets []*plan.Target) {
	r.alike = r.alike[:0]
	for t, target := range targets {
		same := 0
		for same < t && !congruent(targets[same].Selection, target.Selection) {
			same++
		}
		r.alike = append(r.alike, int32(same))
	}
}

// copies reports whether what was read for one target can be copied for another one.
func (r *represented) copies(a, b int32) bool { return r.alike[a] == r.alike[b] }

// asker is one object that an entity fetch fills.
type asker struct {
	base int
	// sent is the index of the object's representation, or -1 if it has none.
	sent int32
	// target is the index in Entities.Targets.
	target int32
	// next is the next object with the same representation, or -1.
	next int32
}

// representation is one that was sent.
type representation struct {
	hash uint64
	// start and end are its range in the request's body.
	start, end int
	// variant is its index in Entities.Representations, or -1 if it isn't plain.
	variant int32
	// first and last are objects that asked for it.
	first, last int32
}

func (r *represented) reset() {
	r.objects, r.sent = trimmed(r.objects, 1<<14), trimmed(r.sent, 1<<14)
	r.table = trimmed(r.table, 1<<15)
}

// writeRequest writes the body of a fetch. It returns false if there is nothing to ask: an entity fetch
// without representations.
func (s *state) writeRequest(f *fetchState) bool {
	f.body = append(f.body[:0], f.fetch.Envelope...)
	first := true
	for _, ref := range f.fetch.Variables {
		value := s.variable(ref.Index)
		if value == nil {
			continue
		}
		f.body = appendName(f.body, ref.Name, first)
		f.body = append(f.body, value...)
		first = false
	}
	if f.fetch.Root != nil {
		f.body = append(f.body, '}', '}')
		return s.findRoots(f)
	}
	sent := 0
	for i, e := range f.fetch.Entities {
		f.body = append(appendName(f.body, e.Variable, first), '[')
		first = false
		r := &f.represented[i]
		for t, target := range e.Targets {
			w := walk{state: s, f: f, entities: e, r: r, target: target, number: int32(t), plain: isPlain(target)}
			s.stencil.text = s.stencil.text[:0]
			w.all()
		}
		f.body = append(f.body, ']')
		sent += len(r.sent)
	}
	if f.contextual != nil {
		if sent == 0 && f.nextRound() {
			return s.writeRequest(f)
		}
		f.body = append(append(f.body, ','), f.contextual.values...)
	}
	f.body = append(f.body, '}', '}')
	return sent > 0
}

// findRoots finds the objects that take the answer of a fetch of root fields: nearly always the root object.
func (s *state) findRoots(f *fetchState) bool {
	r := &f.represented[0]
	r.sent = append(r.sent, representation{first: -1, last: -1})
	w := walk{state: s, f: f, r: r, target: f.fetch.Root}
	w.all()
	return len(r.objects) > 0
}

func (s *state) variable(i int) []byte {
	if i < len(s.req.Variables) && s.req.Variables[i] != nil {
		return s.req.Variables[i]
	}
	return s.plan.Variables[i].Literal
}

func appendName(b []byte, name string, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), '"', ':')
}

// walk finds the objects of one target and writes their representations.
type walk struct {
	state *state
	f     *fetchState
	// entities is nil for a fetch of root fields.
	entities *plan.Entities
	r        *represented
	target   *plan.Target
	number   int32
	// plain says that all representations of the target are (distinct.go).
	plain bool
	// visited are the objects that the walk has come to, if there are some that it would come to again.
	visited visited
}

// all goes to all objects of the target.
func (w *walk) all() {
	if s := w.state; s.arena.shared {
		s.visited = s.visited.empty(len(s.arena.words))
		w.visited = s.visited
	}
	w.from(root, w.target.Path)
}

func (w *walk) from(base int, path []plan.Step) {
	if w.visited != nil && !w.visited.add(base) {
		return
	}
	if c := w.f.contextual; c != nil {
		depth := len(w.target.Path) - len(path)
		c.above = append(c.above[:depth], base)
	}
	if len(path) == 0 {
		w.ask(base)
		return
	}
	step := &path[0]
	if step.Types != nil && !step.Types.Has(w.state.arena.typeOf(base)) {
		return
	}
	w.into(w.state.arena.words[base+step.Slot], path[1:])
}

func (w *walk) into(v word, path []plan.Step) {
	switch v.kind() {
	case object:
		w.from(v.base(), path)
	case list:
		for i := range v.length() {
			w.into(w.state.arena.words[v.base()+i], path)
		}
	}
}

// ask writes the representation of the object at base, unless an equal one is there already.
func (w *walk) ask(base int) {
	if w.entities == nil {
		w.link(asker{base: base, next: -1})
		return
	}
	a := &w.state.arena
	id := a.typeOf(base)
	variant := w.variant(id)
	if variant < 0 || w.f.contextual != nil && !w.inRound(base) {
		return
	}
	sent, why, ok := int32(-1), word(0), false
	if w.plain {
		sent, why, ok = w.askPlain(base, id, variant)
	}
	if !ok {
		sent, why = w.write(base, id, variant)
	}
	if sent < 0 {
		w.missing(base, variant, why)
	}
	w.link(asker{base: base, sent: sent, target: w.number, next: -1})
}

// write writes a representation of any form. It returns its index in sent, or -1 and what is in the way.
func (w *walk) write(base int, id supergraph.ObjectID, variant int) (sent int32, why word) {
	body, start := w.f.body, len(w.f.body)
	if len(w.r.sent) > 0 {
		body = append(body, ',')
		start++
	}
	body = append(append(append(body, `{"__typename":"`...), w.typeName(variant, id)...), '"')
	body, why = w.state.appendFields(body, w.target.Representations[variant], base, false)
	if why != 0 {
		w.f.body = body[:len(w.f.body)]
		return -1, why
	}
	w.f.body = append(body, '}')
	return w.unique(start), 0
}

// typeName is the name that a representation gives as its type.
func (w *walk) typeName(variant int, id supergraph.ObjectID) string {
	if name := w.entities.Representations[variant].TypeName; name != "" {
		return name
	}
	return w.state.sg.Objects[id]
}

// variant picks the representation for a runtime type, or -1.
func (w *walk) variant(id supergraph.ObjectID) int {
	for i := range w.entities.Representations {
		r := &w.entities.Representations[i]
		if r.Types != nil && !r.Types.Has(id) {
			continue
		}
		if r.TypeName == "" && id == supergraph.NoObject {
			return -1
		}
		return i
	}
	return -1
}

func (w *walk) link(o asker) {
	r := w.r
	n := int32(len(r.objects))
	r.objects = append(r.objects, o)
	if o.sent < 0 {
		return
	}
	rep := &r.sent[o.sent]
	if rep.first < 0 {
		rep.first = n
	} else {
		r.objects[rep.last].next = n
	}
	rep.last = n
}

// missing deals with an object that can't be represented: in the variant, or at all if that is negative. If its key is null because of an error, that error
// explains the fields of this fetch, too; if the key is simply null, they are.
func (w *walk) missing(base, variant int, why word) {
	a, sel := &w.state.arena, w.target.Selection
	if why == null && variant >= 0 {
		why = w.state.misshapen(w.target.Representations[variant], sel.Shape, base)
	}
	switch why.kind() {
	case explained:
		a.explain(sel, base)
	case bad:
		a.spoil(sel, base, why)
	}
}

// appendFields writes the fields of a representation, or of an object within it. If the object can't be
// represented, it returns the word that is in the way.
func (s *state) appendFields(b []byte, fields []plan.RepresentationField, base int, first bool) ([]byte, word) {
	id := s.arena.typeOf(base)
	for i := range fields {
		f := &fields[i]
		if f.Types != nil && !f.Types.Has(id) {
			continue
		}
		var why word
		b = appendName(b, f.Name, first)
		first = false
		if f.TypeName {
			if id == supergraph.NoObject {
				return b, null
			}
			b = append(append(append(b, '"'), s.sg.Objects[id]...), '"')
			continue
		}
		w := s.arena.words[base+f.Slot]
		if w.isNull() && (f.Key || f.NonNull) {
			return b, max(w, null)
		}
		if b, why = s.appendValue(b, f, w); why != 0 {
			return b, why
		}
	}
	return b, 0
}

func (s *state) appendValue(b []byte, f *plan.RepresentationField, w word) ([]byte, word) {
	switch w.kind() {
	case leaf, text, integer, number, truth, far:
		return append(b, s.arena.raw(w)...), 0
	case object:
		b, why := s.appendFields(append(b, '{'), f.Fields, w.base(), true)
		return append(b, '}'), why
	case list:
		b = append(b, '[')
		for i := range w.length() {
			if i > 0 {
				b = append(b, ',')
			}
			var why word
			if b, why = s.appendValue(b, f, s.arena.words[w.base()+i]); why != 0 {
				return b, why
			}
		}
		return append(b, ']'), 0
	}
	return append(b, "null"...), 0
}
