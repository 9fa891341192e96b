package plan

import (
	"context"
	"strconv"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// view is how one subgraph sees the objects at a position when a request has come there: the type that the
// subgraph declares, the runtime types that it can mean, and what it answers beyond its own fields. Views are
// interned: equal ones are one pointer.
type view struct {
	id       int
	subgraph int
	// scope is the declared type; nil for entities that were entered by their runtime types.
	scope *supergraph.Type
	types supergraph.TypeSet
	// provided are the external fields that the subgraph answers here.
	provided []*supergraph.FieldSelection
	// blind marks an interface object: the subgraph does not know runtime types.
	blind bool
}

// entry is a way into a subgraph at a position, other than on the path from its parent.
type entry struct {
	subgraph int
	// as is the name under which entities are sent: an interface, or nil for their runtime type.
	as *supergraph.Type
	// root marks an entry at a root type, which needs no key.
	root bool
	// types are the runtime types of the objects that enter.
	types supergraph.TypeSet
}

func (e entry) appendKey(b []byte) []byte {
	b = strconv.AppendInt(b, int64(e.subgraph), 10)
	if e.as != nil {
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(e.as.ID), 10)
	}
	return appendTypes(b, e.types)
}

func appendTypes(b []byte, types supergraph.TypeSet) []byte {
	for _, w := range types {
		b = append(b, ':')
		b = strconv.AppendUint(b, w, 16)
	}
	return b
}

// can are the runtime types that the subgraph may mean here: more than types, where only some are asked for.
func (v *view) can() supergraph.TypeSet {
	if v.subgraph < 0 || v.scope == nil {
		return v.types
	}
	if p := v.scope.In[v.subgraph]; p != nil {
		return p.Possible
	}
	return v.scope.Possible
}

// graph answers the solver's questions about the supergraph, in one world of override labels.
type graph struct {
	// ctx ends when planning takes too long.
	ctx    context.Context
	sg     *supergraph.Supergraph
	labels map[string]bool
	views  map[string]*view
	wanted *wanted
}

// counts reports whether a source counts in this world of labels.
func (g *graph) counts(s *supergraph.Source) bool {
	return s != nil && !s.Overridden && (s.Label == "" || g.labels[s.Label] == s.LabelValue)
}

func (g *graph) intern(v view) *view {
	key := strconv.AppendInt(nil, int64(v.subgraph), 10)
	if v.scope != nil {
		key = append(key, '/')
		key = strconv.AppendInt(key, int64(v.scope.ID), 10)
	}
	key = appendTypes(key, v.types)
	for _, p := range v.provided {
		key = append(key, '+')
		key = strconv.AppendInt(key, int64(p.ID), 10)
	}
	if known := g.views[string(key)]; known != nil {
		return known
	}
	v.id = len(g.views)
	g.views[string(key)] = &v
	return &v
}

// entered is the view behind an entry.
func (g *graph) entered(e entry) *view {
	blind := e.as != nil && e.as.In[e.subgraph].InterfaceObject
	types := e.types
	if e.as != nil && !blind {
		types = types.Intersect(e.as.In[e.subgraph].Possible)
	}
	return g.intern(view{subgraph: e.subgraph, scope: e.as, types: types, blind: blind})
}

// below is the view of the objects in a field that a view's subgraph answers.
func (g *graph) below(v *view, s *supergraph.Source, name string, parents, live supergraph.TypeSet) *view {
	next := view{subgraph: v.subgraph, scope: s.Base, types: live}
	if p := s.Base.In[v.subgraph]; p != nil {
		next.blind = p.InterfaceObject
	}
	if s.Provides != nil {
		next.provided = append(next.provided, s.Provides.Fields...)
	}
	for _, p := range v.provided {
		if p.Name == name && p.Types.Intersects(parents) {
			next.provided = append(next.provided, p.Fields...)
		}
	}
	return g.intern(next)
}

// possible are the runtime types that a subgraph can mean by a source's type.
func possible(s *supergraph.Source) supergraph.TypeSet {
	if p := s.Base.In[s.Subgraph]; p != nil {
		return p.Possible
	}
	return nil
}

// local returns the source of a field of a runtime type if the view's subgraph answers it right there: without
// anything that must be sent along, or comes from further up. What it requires may be provided there.
func (g *graph) local(v *view, id supergraph.ObjectID, name string) *supergraph.Source {
	if !v.types.Has(id) {
		return nil
	}
	s := g.seen(v, id, name)
	if !g.counts(s) || s.Context != nil || s.Requires != nil && !g.inPlace(v, supergraph.SetOf(id), s.Requires.Fields) {
		return nil
	}
	if s.External && !v.provides(id, name) {
		return nil
	}
	return s
}

// inPlace reports whether a view's subgraph knows all of a selection at the objects that it has there.
func (g *graph) inPlace(v *view, types supergraph.TypeSet, set []*supergraph.FieldSelection) bool {
	for _, f := range set {
		for id := range types.Intersect(f.Types).All() {
			s := g.local(v, id, f.Name)
			if s == nil && f.Name != "__typename" {
				return false
			}
			if f.Base != nil && !g.inPlace(g.below(v, s, f.Name, supergraph.SetOf(id), possible(s)), possible(s), f.Fields) {
				return false
			}
		}
	}
	return true
}

// seen returns how a view's subgraph knows a field, usable or not.
func (g *graph) seen(v *view, id supergraph.ObjectID, name string) *supergraph.Source {
	t := g.sg.ObjectType(id)
	if v.blind {
		t = v.scope
	}
	f := t.Field(name)
	if f == nil {
		return nil
	}
	s := f.In[v.subgraph]
	if s == nil || s.As != t {
		return nil
	}
	return s
}

func (v *view) provides(id supergraph.ObjectID, name string) bool {
	for _, p := range v.provided {
		if p.Name == name && p.Types.Has(id) {
			return true
		}
	}
	return false
}

// remote returns the source of a field in a subgraph that entities of a type can enter.
func (g *graph) remote(subgraph int, id supergraph.ObjectID, name string) *supergraph.Source {
	f := g.sg.ObjectType(id).Field(name)
	if f == nil {
		return nil
	}
	s := f.In[subgraph]
	if !g.counts(s) || s.External {
		return nil
	}
	if p := s.As.In[subgraph]; p == nil || !p.Resolvable() {
		return nil
	}
	return s
}

// root returns the source of a field of a root type in a subgraph.
func (g *graph) root(subgraph int, id supergraph.ObjectID, name string) *supergraph.Source {
	f := g.sg.ObjectType(id).Field(name)
	if f == nil || !g.counts(f.In[subgraph]) || f.In[subgraph].External || f.In[subgraph].Context != nil {
		return nil
	}
	return f.In[subgraph]
}

// isRoot reports whether any request can start at objects of this type.
func (g *graph) isRoot(id supergraph.ObjectID) bool {
	return g.sg.Query != nil && g.sg.Query.Object == id
}
