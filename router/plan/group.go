package plan

import (
	"slices"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// group is a request in the making.
type group struct {
	// order is the order of creation.
	order    int
	subgraph int
	kind     operation.Kind
	// part is the part of the answer that the request is made for; nil for the first one.
	part *payload
	// visits are the root visit, or those of entities.
	visits []*visit
	deps   []*group
	depth  int
	fetch  *Fetch
	text   *text
}

// visit is what one request asks of the objects at one position.
type visit struct {
	view *view
	at   *position
	// group is nil until anything is asked.
	group *group
	// parent and via lead here on the path; nil for entries.
	parent *visit
	via    *node
	// above is the parent as it was planned, before it turned out to be a part of another visit.
	above *visit
	// parents are the runtime types of the parent objects that the path is taken from.
	parents supergraph.TypeSet
	// into is how the visit enters: nil on the path. site are the visits by whose indexes it was planned.
	into *entering
	site []*visit
	// sites are those from which objects enter here: a position is reached on several paths, where its parents
	// are of several types.
	sites []*visit
	// same is the visit that this one turned out to be a part of.
	same  *visit
	picks []*pick
	// contextual says that arguments from contexts are asked: such an entry shares no request.
	contextual bool
	// typed says that __typename is asked where the subgraph can mean several types.
	typed bool
	// partial says that some objects at the position may not enter.
	partial bool
	// ways are the runtime types of the objects from which each step of the path is taken; nil for all.
	ways []supergraph.TypeSet
	// sent are the representations of an entry, and holds says where what they are made of stands.
	sent  []*sent
	holds holdings
	// serves are the fields of the operation for which an entry was made.
	serves []string
}

// pick is a field that a visit asks.
type pick struct {
	node  *node
	types supergraph.TypeSet
	// source is set for fields that need an entry of their own.
	source *supergraph.Source
	below  *visit
}

// sent is what represents the objects of some types.
type sent struct {
	types supergraph.TypeSet
	key   *supergraph.Key
	// requires are sent along with the key.
	requires []*supergraph.FieldSet
}

// needs reports whether h can only start after g has ended, or is g.
func (h *group) needs(g *group) bool {
	if h == g {
		return true
	}
	seen := map[*group]bool{}
	var walk func(h *group) bool
	walk = func(h *group) bool {
		if seen[h] {
			return false
		}
		seen[h] = true
		for _, d := range h.deps {
			if d == g || walk(d) {
				return true
			}
		}
		return false
	}
	return walk(h)
}

// after makes the group wait for others.
func (g *group) after(others []*group) {
	for _, o := range others {
		if o != g && !slices.Contains(g.deps, o) {
			g.deps = append(g.deps, o)
		}
	}
}

// add asks a leaf of the visited objects.
func (v *visit) add(n *node, types supergraph.TypeSet, source *supergraph.Source) *pick {
	for _, p := range v.picks {
		if p.node == n && p.below == nil && p.source == source {
			p.types = p.types.Union(types)
			return p
		}
	}
	p := &pick{node: n, types: types, source: source}
	v.picks = append(v.picks, p)
	return p
}

// addBelow asks a composite field, and returns the visit of its objects: the one that is there, if the same
// field was asked before.
func (v *visit) addBelow(n *node, types supergraph.TypeSet, source *supergraph.Source, below *visit) *visit {
	for _, p := range v.picks {
		if p.node == n && p.below != nil && p.source == source && p.below.view.scope == below.view.scope {
			p.types = p.types.Union(types)
			return p.below
		}
	}
	v.picks = append(v.picks, &pick{node: n, types: types, source: source, below: below})
	return below
}
