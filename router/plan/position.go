package plan

import (
	"strings"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// position is a place in the merged response where objects stand. It becomes a Shape.
type position struct {
	// parent is the value that the objects stand in; nil for the root.
	parent *node
	// on is the declared type in the supergraph.
	on    *supergraph.Type
	nodes []*node
	// fields finds the nodes of the operation's fields.
	fields map[*operation.Field]*node
	// selections says which nodes hold a field set's field, by runtime type.
	selections map[*supergraph.FieldSelection][]held
	// supplied are the groups that bring what arguments from contexts need of the objects here.
	supplied map[*supergraph.FieldSelection][]*group
	// tellers are the groups that tell the runtime types.
	tellers []*group
	// entries are the requests that enter here.
	entries []*visit
	// known says that the objects' runtime types are known.
	known bool
	// knownIn are parts of the answer in which they are known, else.
	knownIn []*payload
	// arrivals are the paths that lead here.
	arrivals []arrival
	shape    *Shape
}

// held says that a node holds a value for some runtime types.
type held struct {
	types supergraph.TypeSet
	node  *node
}

// holdings say which nodes hold the fields of the field sets that one entry sends: other entries may have theirs from
// other nodes, and wait for others.
type holdings map[holding][]held

type holding struct {
	at        *position
	selection *supergraph.FieldSelection
}

func (h holdings) add(others holdings) holdings {
	if h == nil {
		h = holdings{}
	}
	for at, all := range others {
		h[at] = append(h[at], all...)
	}
	return h
}

// node is one value of the objects at a position. It becomes a Slot.
type node struct {
	at    *position
	name  string
	args  string
	types supergraph.TypeSet
	// field is the operation's field; nil for what only keys and requires need.
	field *operation.Field
	below *position
	slot  int
}

// newPosition makes the position of a selection set of the operation, or of nothing yet.
func newPosition(parent *node, on *supergraph.Type, fields []*operation.Field, sg *supergraph.Supergraph) *position {
	p := &position{
		parent: parent, on: on,
		fields:     make(map[*operation.Field]*node, len(fields)),
		selections: map[*supergraph.FieldSelection][]held{},
	}
	for _, f := range fields {
		if f.Name == "__typename" || f.Denied {
			continue
		}
		n := &node{at: p, name: f.Name, args: argumentsText(f.Arguments), types: typesOf(f, on), field: f}
		if def := definition(sg, f.Name, n.types); def != nil && def.Base != nil {
			n.below = newPosition(n, def.Base, f.Selections, sg)
		}
		p.nodes = append(p.nodes, n)
		p.fields[f] = n
	}
	return p
}

// typesOf are the runtime types that a field is selected for. The normal form names none below __schema and
// __type, where there is but one.
func typesOf(f *operation.Field, on *supergraph.Type) supergraph.TypeSet {
	if f.Types == nil && strings.HasPrefix(on.Name, "__") {
		return on.Possible
	}
	return f.Types
}

// node finds or makes the node that holds what is wanted for some types. What a key or a requires needs is
// held by the client's own field where that is the same: by name and arguments.
func (p *position) node(w *want, types supergraph.TypeSet) *node {
	if w.field != nil {
		return p.fields[w.field]
	}
	for _, h := range p.selections[w.selection] {
		if types.SubsetOf(h.types) {
			return h.node
		}
	}
	n := p.same(w, types)
	if n == nil {
		n = &node{at: p, name: w.name, args: w.args, types: types}
		if base := w.selection.Base; base != nil {
			n.below = newPosition(n, base, nil, nil)
		}
		p.nodes = append(p.nodes, n)
	}
	p.selections[w.selection] = append(p.selections[w.selection], held{types, n})
	return n
}

// same finds a node with the same name and arguments, the one for most types: what is sent is to come from one node for as
// many as can be. A leaf can hold the values of further types; objects can't, since what the operation selects below
// would be mixed up.
func (p *position) same(w *want, types supergraph.TypeSet) *node {
	var widest, extend *node
	for _, n := range p.nodes {
		if n.name != w.name || n.args != w.args || n.base() != w.selection.Base {
			continue
		}
		if types.SubsetOf(n.types) && (widest == nil || n.types.Len() > widest.types.Len()) {
			widest = n
		}
		if n.below == nil || n.field == nil {
			extend = n
		}
	}
	if widest != nil {
		return widest
	}
	if extend != nil {
		extend.types = extend.types.Union(types)
	}
	return extend
}

// base is the composite type of the value; nil for leaves.
func (n *node) base() *supergraph.Type {
	if n.below == nil {
		return nil
	}
	return n.below.on
}

// path leads from the root object to the objects at the position.
func (p *position) path() []Step {
	if p.parent == nil {
		return nil
	}
	return append(p.parent.at.path(), Step{Slot: p.parent.slot})
}
