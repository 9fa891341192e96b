package plan

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// state is what the solver knows at one position with one set of entries.
type state struct {
	level *level
	views []placed
	// guard holds the requires that are being met: one that needs itself can't be.
	guard []guarded
}

// placed is a view at a position, and what it takes to get it there.
type placed struct {
	*view
	cost    cost
	entered bool
}

type guarded struct {
	subgraph int
	set      *supergraph.FieldSet
}

// gathered is how a selection is met at one position.
type gathered struct {
	choices []choice
	// typed is the index of the view that tells the runtime type; -1 if none is needed.
	typed int
	// known says that runtime types are.
	known bool
	cost  cost
}

// choice is how one field is met for some runtime types.
type choice struct {
	want  *want
	types supergraph.TypeSet
	// views are the indexes of the views that answer it; nil if it takes an entry of its own.
	views []int
	// own is the source of a field that needs a entry of its own: with requires, or with
	// arguments from a context.
	own *owned
	// arrive are the views of the objects in the field, one for each of views; child is how they go on.
	arrive []*view
	child  *solution
	cost   cost
	// others are entries that could meet the field, too.
	others []entry
}

// owned is an entry that a field needs for itself: it sends requires along.
type owned struct {
	entering
	source   *supergraph.Source
	requires *gathered
}

// keyed is the key that objects of some types are sent with.
type keyed struct {
	types  supergraph.TypeSet
	key    *supergraph.Key
	picked *gathered
}

// gather meets a selection with the views that there are.
func (s *solver) gather(st *state, w *wants, types supergraph.TypeSet) (*gathered, *unreachable) {
	out := &gathered{typed: -1}
	splits, apart := false, false
	for i := range w.list {
		wanted := &w.list[i]
		need := wanted.types.Intersect(types)
		if !need.SubsetOf(st.level.live) {
			need = need.Intersect(st.level.live)
		}
		if need.Empty() {
			continue
		}
		classes := s.classes(st, wanted, need)
		if missing := s.oneWay(st, wanted, need, classes); missing != nil {
			return nil, missing
		}
		begin := len(out.choices)
		for _, class := range classes {
			c, missing := s.choose(st, wanted, class)
			if missing != nil {
				return nil, missing
			}
			out.choices = out.add(c, begin)
			out.cost = out.cost.beside(c.cost)
		}
		if ways := out.choices[begin:]; len(ways) > 1 {
			// What is sent of objects further down is gathered on one path only, so the paths must be told apart.
			splits = splits || slices.ContainsFunc(ways, func(c choice) bool { return c.child != nil && c.child.cost.depth > 0 })
			// What is sent of the objects here themselves is taken from where it was gathered for their type.
			apart = apart || wanted.selection != nil
		}
	}
	if (w.typed || w.varies || splits || apart) && !st.level.root {
		index, missing := s.typeFrom(st, types)
		if missing != nil && (w.typed || apart) {
			return nil, missing
		}
		out.known = missing == nil
		if out.typed = index; index >= 0 {
			out.cost = out.cost.beside(st.views[index].cost)
		}
	}
	return out, nil
}

// add appends a choice, or lets one of the same field from begin on answer for its types, too, if the same views do, and
// go on in the same way.
func (g *gathered) add(c choice, begin int) []choice {
	for i := begin; i < len(g.choices) && c.own == nil; i++ {
		other := &g.choices[i]
		if other.own == nil && other.child == c.child && slices.Equal(other.views, c.views) && slices.Equal(other.arrive, c.arrive) {
			other.types = other.types.Union(c.types)
			other.others = append(slices.Clone(other.others), c.others...)
			return g.choices
		}
	}
	return append(g.choices, c)
}

// oneWay refuses to meet a field of an interface by paths that each serve some implementers only: federation
// resolves it from one path, for all of them, or not at all.
func (s *solver) oneWay(st *state, w *want, need supergraph.TypeSet, classes []supergraph.TypeSet) *unreachable {
	arrived := len(st.level.arrived)
	if len(classes) < 2 || arrived < 2 || !need.Equal(st.level.live) {
		return nil
	}
	if scope := st.level.arrived[0].scope; scope == nil || scope.Kind != ast.Interface || scope.Field(w.name) == nil {
		return nil
	}
	alone := s.wanted.alone(w)
	for i := range arrived {
		if s.solve(alone, st.level.arrived[i:i+1]).missing == nil {
			return nil
		}
	}
	return &unreachable{name: w.name, types: need, why: "no single path serves it for all types: " + s.why(w, classes[0])}
}

// typeFrom finds a view that knows runtime types; -1 if there is but one type.
func (s *solver) typeFrom(st *state, types supergraph.TypeSet) (int, *unreachable) {
	if st.level.static() {
		return -1, nil
	}
	for i, v := range st.views {
		if !v.blind && (v.scope != nil || !v.entered) {
			return i, nil
		}
	}
	for i, v := range st.views {
		if !v.blind {
			return i, nil
		}
	}
	missing := &unreachable{name: "__typename", types: types, why: "no subgraph that is reached knows the runtime types"}
	for _, v := range st.views {
		if !v.blind {
			continue
		}
		for g, p := range v.scope.In {
			if p != nil && !p.InterfaceObject && p.Resolvable() {
				missing.options = append(missing.options, entry{subgraph: g, as: v.scope, types: st.level.live})
			}
		}
	}
	return -1, missing
}

// static reports whether all objects at a level have one runtime type, whoever of those that arrive there is asked: an answer
// that could be of another type as far as its subgraph knows doesn't tell it.
func (l *level) static() bool {
	for _, v := range l.arrived {
		if v.can().Len() > 1 || v.blind && l.live.Len() > 1 {
			return l.root
		}
	}
	return l.root || len(l.arrived) > 0
}

// classes splits types where subgraphs differ in how they answer a field.
func (s *solver) classes(st *state, w *want, types supergraph.TypeSet) []supergraph.TypeSet {
	if types.Len() == 1 || s.indistinct(st, w, first(types)) {
		return []supergraph.TypeSet{types}
	}
	type class struct {
		key   []uint32
		types supergraph.TypeSet
	}
	var classes []*class
	var key []uint32
	for id := range types.All() {
		key = s.signature(key[:0], st, w, id)
		at := slices.IndexFunc(classes, func(c *class) bool { return slices.Equal(c.key, key) })
		if at < 0 {
			at = len(classes)
			classes = append(classes, &class{key: slices.Clone(key)})
		}
		classes[at].types.Add(id)
	}
	out := make([]supergraph.TypeSet, len(classes))
	for i, c := range classes {
		out[i] = c.types
	}
	return out
}

// indistinct reports whether a field is answered where nobody can tell its objects apart.
func (s *solver) indistinct(st *state, w *want, id supergraph.ObjectID) bool {
	found := false
	for i, v := range st.views {
		if !v.blind {
			return false
		}
		found = found || s.local(v.view, id, w.name) != nil && st.level.answers(i, w)
	}
	return found
}

// signature describes how a field of a runtime type can be had: by which views, and by which entries.
func (s *solver) signature(key []uint32, st *state, w *want, id supergraph.ObjectID) []uint32 {
	for _, v := range st.views {
		if src := s.local(v.view, id, w.name); src != nil {
			key = append(key, 1+baseID(src))
		} else {
			key = append(key, 0)
		}
	}
	for g := range s.sg.Subgraphs {
		src := s.remote(g, id, w.name)
		if src == nil {
			continue
		}
		key = append(key, uint32(g), baseID(src))
		if src.As.Abstract() {
			key = append(key, uint32(src.As.ID))
		}
		if src.Requires != nil {
			key = append(key, 1<<30|uint32(src.Requires.ID))
		}
		if src.Context != nil {
			key = append(key, 1<<29)
		}
	}
	return key
}

func baseID(s *supergraph.Source) uint32 {
	if s.Base == nil {
		return 0
	}
	return uint32(s.Base.ID) + 1
}
