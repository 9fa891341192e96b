package execute

import (
	"slices"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// delivery is what one request knows of the parts of its answer.
type delivery struct {
	state *state
	// written says of each object of the arena, by its base, whether a client has got it: only those get more.
	written []uint64
	// fragments are parallel to Plan.Deferred.
	fragments []fragment
	// failed are the increments that came out as null.
	failed map[attempt]bool
	// ids counts the ids given out.
	ids int
	// announced are the instances that the next response tells to be pending.
	announced []*instance
	// held are the errors of fetches that nothing delivered so far has waited for.
	held []errorRecord
}

// fragment is a deferred fragment, at all of its places.
type fragment struct {
	*plan.Deferred
	// instances are those that are pending.
	instances []*instance
	// done says that there have been others.
	done bool
}

// instance is a deferred fragment on one object.
type instance struct {
	id   int
	of   *fragment
	base int
	path []segment
	// failed says that a field of it is null that must not be.
	failed bool
}

// attempt is an increment for one object.
type attempt struct{ increment, base int }

// entry is one increment for one object, in a response.
type entry struct {
	*instance
	path       []segment
	start, end int
	errors     []errorRecord
}

func newDelivery(s *state) *delivery {
	d := &delivery{state: s, fragments: make([]fragment, len(s.plan.Deferred)), failed: map[attempt]bool{}}
	for i := range d.fragments {
		d.fragments[i].Deferred = s.plan.Deferred[i]
	}
	return d
}

// over reports whether nothing is left to deliver.
func (d *delivery) over() bool {
	return !slices.ContainsFunc(d.fragments, func(f fragment) bool { return len(f.instances) > 0 })
}

func (d *delivery) anyReady() bool {
	return slices.ContainsFunc(d.fragments, d.ready)
}

// ready reports whether a fragment can be delivered now.
func (d *delivery) ready(f fragment) bool {
	return len(f.instances) > 0 && !slices.ContainsFunc(f.Fetches, func(id int) bool { return !d.state.fetches[id].over })
}

// begin ends the first part of the answer, whose data has been written: it tells what is pending. Errors of fetches
// that it hasn't waited for are kept.
func (d *delivery) begin(w *writer, whole bool) []byte {
	d.mark(w.objects)
	if whole {
		d.mark([]int{root})
		for i := range d.fragments {
			if d.fragments[i].Parent < 0 {
				d.open(i, root, nil, nil)
			}
		}
	}
	d.hold(func(r errorRecord) bool {
		return r.fetch < len(d.state.fetches) && d.state.fetches[r.fetch].fetch.Deferred
	})
	if d.over() {
		return w.b // It proved to be the whole answer.
	}
	return append(d.pending(append(w.b, ',')), `"hasNext":true`...)
}

// open finds the objects that a fragment applies to, below one that has been delivered, to which a way led. Where it
// holds nothing itself, those within it need not wait for it.
func (d *delivery) open(number, base int, path []segment, way []plan.Step) {
	f := &d.fragments[number]
	d.walk(base, path, d.shape(way), f.Path[len(way):], func(base int, path []segment) {
		if !d.applies(f, base) {
			d.openWithin(number, base, path)
			return
		}
		in := &instance{id: d.ids, of: f, base: base, path: slices.Clone(path)}
		d.ids++
		f.instances = append(f.instances, in)
		d.announced = append(d.announced, in)
	})
}

// openWithin opens the fragments that stand in one, for an object.
func (d *delivery) openWithin(parent, base int, path []segment) {
	for i := range d.fragments {
		if d.fragments[i].Parent == parent {
			d.open(i, base, path, d.fragments[parent].Path)
		}
	}
}

// shape is that of the objects to which a path leads.
func (d *delivery) shape(way []plan.Step) *plan.Shape {
	shape := d.state.plan.Root
	for _, step := range way {
		shape = shape.Slots[step.Slot].Shape
	}
	return shape
}

// walk visits the objects to which a path leads that clients have got.
func (d *delivery) walk(base int, path []segment, shape *plan.Shape, way []plan.Step, visit func(int, []segment)) {
	if len(way) == 0 {
		visit(base, path)
		return
	}
	slot := &shape.Slots[way[0].Slot]
	var into func(v word, path []segment)
	into = func(v word, path []segment) {
		switch v.kind() {
		case object:
			if d.has(v.base()) {
				d.walk(v.base(), path, slot.Shape, way[1:], visit)
			}
		case list:
			for i := range v.length() {
				into(d.state.arena.words[v.base()+i], append(path, segment{index: i}))
			}
		}
	}
	into(d.state.arena.words[base+way[0].Slot], append(path, segment{key: slot.ResponseKey}))
}

// applies reports whether a fragment has fields for the object at base, or for those below it that are there.
func (d *delivery) applies(f *fragment, base int) bool {
	found := false
	for _, i := range f.Increments {
		inc := d.state.plan.Increments[i]
		d.walk(base, nil, d.shape(f.Path), inc.Path[len(f.Path):], func(base int, _ []segment) {
			// Of an interface object, the type may be found out for the fragment alone.
			found = found || d.state.arena.typeOf(base) == supergraph.NoObject || d.hasFields(inc, base)
		})
	}
	return found
}

func (d *delivery) hasFields(inc *plan.Increment, base int) bool {
	id := d.state.arena.typeOf(base)
	return slices.ContainsFunc(inc.Output.Fields, func(f plan.OutputField) bool {
		return f.Types == nil || applies(inc.Output, &f, id)
	})
}

// next writes the next part of the answer: every fragment that is ready.
func (d *delivery) next() *Response {
	s := d.state
	resp := responses.Get().(*Response)
	w := &writer{state: s, arena: &s.arena, limit: s.cfg.MaxResponseBytes, path: s.path[:0], deferring: true, b: resp.spare[:0]}
	s.errors.written = 0
	var entries []entry
	var done []*instance
	for i := range d.fragments {
		f := &d.fragments[i]
		if !d.ready(*f) {
			continue
		}
		ready := f.instances
		f.instances, f.done = nil, true
		for _, in := range ready {
			entries = append(entries, d.complete(w, in)...)
			done = append(done, in)
			if !in.failed {
				d.openWithin(i, in.base, in.path)
			}
		}
	}
	s.path = w.path
	due := d.due()
	resp.Errors = len(due)
	resp.spare = w.b
	resp.Body = d.write(resp.Body[:0], w.b, entries, done, due)
	return resp
}

// complete writes what a fragment holds of one object, all of it or nothing.
func (d *delivery) complete(w *writer, in *instance) (out []entry) {
	start := len(w.b)
	var written []int
	for _, i := range in.of.Increments {
		inc := d.state.plan.Increments[i]
		d.walk(in.base, in.path, d.shape(in.of.Path), inc.Path[len(in.of.Path):], func(base int, path []segment) {
			at := attempt{i, base}
			failed, known := d.failed[at]
			if in.failed = in.failed || failed; known || in.failed || !d.hasFields(inc, base) {
				return
			}
			w.objects, w.out, w.prefix = w.objects[:0], inc.Output, path
			e := entry{instance: in, path: slices.Clone(path), start: len(w.b)}
			if d.failed[at] = !w.object(inc.Output, base); d.failed[at] {
				in.failed = true
				w.path = w.path[:0]
				return
			}
			e.end = len(w.b)
			out = append(out, e)
			written = append(written, w.objects...)
			d.mark(w.objects)
		})
	}
	if in.failed {
		d.unmark(written)
		w.b = w.b[:start]
		return nil
	}
	return out
}

func (d *delivery) mark(bases []int) {
	for _, base := range bases {
		for base/64 >= len(d.written) {
			d.written = append(d.written, make([]uint64, max(len(d.written), 1+len(d.state.arena.words)/64))...)
		}
		d.written[base/64] |= 1 << (base % 64)
	}
}

func (d *delivery) unmark(bases []int) {
	for _, base := range bases {
		d.written[base/64] &^= 1 << (base % 64)
	}
}

func (d *delivery) has(base int) bool {
	return base/64 < len(d.written) && d.written[base/64]&(1<<(base%64)) != 0
}
