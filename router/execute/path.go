package execute

import "github.com/agora-supergraph/agora/router/plan"

// Paths are made only when there is an error to report: the objects of a fetch are looked up again from the
// root, this time with the way there.

// atlas holds the client's paths to the objects of one Entities.
type atlas struct {
	segments []segment
	// paths are in the order of the response, target by target.
	paths []place
	// byBase are the indexes in paths, by the object's base.
	byBase map[int][]int
	// steps bounds the search: the ways to objects with several places may be very many.
	steps int
}

// place is one of the places of an object: a range of segments.
type place struct{ start, end int }

// maxSteps is how far paths are searched for. What is found by then is enough for any number of errors that a person
// would read.
const maxSteps = 1 << 20

// path is the nth path of an atlas.
func (m *atlas) path(n int) []segment {
	p := m.paths[n]
	return m.segments[p.start:p.end:p.end]
}

// locate finds the paths to all objects of some targets.
func (s *state) locate(targets []*plan.Target) *atlas {
	m := &atlas{byBase: map[int][]int{}, steps: maxSteps}
	for _, t := range targets {
		l := locator{state: s, atlas: m}
		l.from(s.plan.Root, root, t.Path, nil)
	}
	return m
}

type locator struct {
	state *state
	atlas *atlas
}

func (l *locator) from(shape *plan.Shape, base int, steps []plan.Step, path []segment) {
	if l.atlas.steps--; l.atlas.steps < 0 {
		return
	}
	if len(steps) == 0 {
		start := len(l.atlas.segments)
		l.atlas.segments = append(l.atlas.segments, path...)
		l.atlas.byBase[base] = append(l.atlas.byBase[base], len(l.atlas.paths))
		l.atlas.paths = append(l.atlas.paths, place{start, len(l.atlas.segments)})
		return
	}
	step := &steps[0]
	if step.Types != nil && !step.Types.Has(l.state.arena.typeOf(base)) {
		return
	}
	slot := &shape.Slots[step.Slot]
	l.into(slot.Shape, l.state.arena.words[base+step.Slot], steps[1:], append(path, named(slot.ResponseKey)))
}

func (l *locator) into(shape *plan.Shape, w word, steps []plan.Step, path []segment) {
	switch w.kind() {
	case object:
		l.from(shape, w.base(), steps, path)
	case list:
		for i := range w.length() {
			l.into(shape, l.state.arena.words[w.base()+i], steps, append(path, segment{index: i}))
		}
	}
}

// visible cuts a path where it leaves what the client asked for: at a slot that only keys and requires need.
func visible(path []segment) []segment {
	for i := range path {
		if path[i].key == "" && path[i].index < 0 {
			return path[:i]
		}
	}
	return path
}

// scope is the path of all that a fetch concerns.
func (s *state) scope(f *fetchState) []segment {
	var all scopeOf
	for i := range f.represented {
		s.entityScope(f, i, &all)
	}
	return all.path()
}

// reportEntities records an error about all objects of one Entities.
func (s *state) reportEntities(f *fetchState, i int, why failure) {
	var all scopeOf
	s.entityScope(f, i, &all)
	s.report(f, "subgraph \""+s.serviceName(f.fetch)+"\" "+why.message, all.path(), why.code)
	s.logFailure(f, why)
}

func (s *state) entityScope(f *fetchState, i int, all *scopeOf) {
	targets := f.targets(i)
	places := s.locate(targets)
	for _, o := range f.represented[i].objects {
		if o.sent < 0 {
			continue
		}
		for _, n := range places.byBase[o.base] {
			all.add(visible(places.path(n)), targets[o.target].Selection)
		}
	}
}

// scopeOf is the longest path that several places share.
type scopeOf struct {
	shared []segment
	// places counts what was added; only is the selection of the first.
	places int
	only   *plan.Selection
}

func (c *scopeOf) add(path []segment, sel *plan.Selection) {
	if c.places++; c.places == 1 {
		c.shared, c.only = path, sel
		return
	}
	n := min(len(c.shared), len(path))
	for i := range n {
		if c.shared[i] != path[i] {
			n = i
			break
		}
	}
	c.shared = c.shared[:n]
}

func (c *scopeOf) path() []segment {
	if c.places != 1 {
		return c.shared
	}
	return withField(c.shared, c.only)
}

// withField extends a path by the field of a selection, if clients see exactly one of its fields.
func withField(path []segment, sel *plan.Selection) []segment {
	key := ""
	for i := range sel.Fields {
		if sel.Fields[i].Slot == plan.TypeSlot {
			continue
		}
		k := sel.Shape.Slots[sel.Fields[i].Slot].ResponseKey
		switch {
		case k == "" || k == key:
		case key != "":
			return path
		default:
			key = k
		}
	}
	if key == "" {
		return path
	}
	return append(path[:len(path):len(path)], segment{key: key})
}
