// Package satisfiability checks that every field of the API schema can be resolved from every root: by the subgraphs that
// can have led there, or after moving to others by keys.
//
// It walks the API schema breadth first. A state is an object type with the set of places (subgraph and type there) that
// can have been reached; from them the closure under key jumps is computed, where a key can be used if its fields can be
// resolved from the places already in the closure. A field with @requires, with contextual arguments or with a progressive
// override is resolved only where its conditions hold. A state that has at least the places of an earlier one of the same
// type can do all that the earlier one could, and is skipped; that keeps the walk linear for schemas of practice. A field
// that no place resolves is an error, shown with the shortest query that reaches it and with what each subgraph lacks.
package satisfiability

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/merge"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// Config bounds the check.
type Config struct {
	// MaxStates is how many states may be visited. Zero means 1,000,000.
	MaxStates int
}

// place is a type in a subgraph, as reached by some path.
type place struct {
	id    int
	graph int
	typ   *schema.Type
	// cast is the object type as which an interface object is regarded, or empty.
	cast string
	// provided are the external fields that @provides makes available here.
	provided schema.FieldSet
}

// checker holds what the walk shares.
type checker struct {
	*merge.Supergraph
	cfg    Config
	places map[string]*place
	// closures are cached by world: what labels and contexts hold.
	closures map[string]map[*place][]*place
	world    string
	// open are the closures being computed, with what they have so far.
	open map[*place]*closing
	// tainted tells that a result was computed from a closure that was still open.
	tainted bool
	// trying guards against requires that need each other.
	trying map[attempt]bool
	sets   map[string]schema.FieldSet
	// having are the subgraphs that have a type, by its name; jumpTargets caches where its keys lead.
	having      map[string][]int
	jumpTargets map[string][]*place
	visited     map[string][][]*place
	states      int
	errors      report.Errors
	hints       []report.Hint
	hinted      map[string]bool
	// labels is the world of override labels of the state that is being advanced; contexts are those set above it.
	labels   map[string]bool
	contexts map[string]bool
	// contextual are the types that set contexts, by name of the type in the API.
	contextual map[string][]contextSource
}

type attempt struct {
	place *place
	field string
}

// Check walks the supergraph. Errors say what cannot be resolved; hints are about shared fields.
func Check(s *merge.Supergraph, cfg Config) ([]report.Hint, report.Errors) {
	if cfg.MaxStates == 0 {
		cfg.MaxStates = 1_000_000
	}
	s.Freeze()
	c := &checker{
		Supergraph: s, cfg: cfg, places: map[string]*place{}, closures: map[string]map[*place][]*place{"": {}}, open: map[*place]*closing{},
		trying: map[attempt]bool{}, sets: map[string]schema.FieldSet{}, visited: map[string][][]*place{}, hinted: map[string]bool{}, having: map[string][]int{}, jumpTargets: map[string][]*place{},
	}
	for i, sg := range s.Subgraphs {
		for _, t := range sg.Types {
			c.having[t.Name] = append(c.having[t.Name], i)
		}
	}
	c.findContexts()
	c.walk(c.roots())
	c.checkMutations()
	return c.hints, c.errors
}

// enter makes the labels and contexts those of a state.
func (c *checker) enter(labels, contexts map[string]bool) {
	c.labels, c.contexts = labels, contexts
	c.world = ""
	if len(labels)+len(contexts) > 0 {
		c.world = world(labels) + "|" + world(contexts)
	}
	if c.closures[c.world] == nil {
		c.closures[c.world] = map[*place][]*place{}
	}
}

// place interns a place.
func (c *checker) place(graph int, t *schema.Type, cast string, provided schema.FieldSet) *place {
	var b strings.Builder
	b.WriteString(c.Graphs[graph])
	b.WriteByte(' ')
	b.WriteString(t.Name)
	b.WriteByte(' ')
	b.WriteString(cast)
	b.WriteByte(' ')
	if len(provided) > 0 {
		b.WriteString(provided.Canonical())
	}
	key := b.String()
	if p := c.places[key]; p != nil {
		return p
	}
	p := &place{id: len(c.places), graph: graph, typ: t, cast: cast, provided: provided}
	c.places[key] = p
	return p
}

func (c *checker) subgraph(p *place) *subgraph.Subgraph { return c.Subgraphs[p.graph] }

// object is the name of the object type that the place is regarded as.
func (p *place) object() string {
	if p.cast != "" {
		return p.cast
	}
	return p.typ.Name
}

// fieldSet parses a field set once.
func (c *checker) fieldSet(text string) schema.FieldSet {
	set, ok := c.sets[text]
	if !ok {
		set, _ = schema.ParseFieldSet(text)
		c.sets[text] = set
	}
	return set
}

func isInterfaceObject(t *schema.Type) bool { return t.Has("interfaceObject") }

// selected is what a field set selects below a field of t, and whether it selects the field at all.
func (c *checker) selected(p *place, set schema.FieldSet, field string) (below schema.FieldSet, found bool) {
	for _, s := range set {
		if s.Fragment {
			if s.On != "" && s.On != p.object() && s.On != p.typ.Name {
				on := c.subgraph(p).Type(s.On)
				if on == nil || !c.subgraph(p).IsSubtype(s.On, p.object()) {
					continue
				}
			}
			more, ok := c.selected(p, s.Sub, field)
			below, found = append(below, more...), found || ok
			continue
		}
		if s.Field == field {
			below, found = append(below, s.Sub...), true
		}
	}
	return below, found
}

// refusal says why a place does not resolve a field.
type refusal int

const (
	resolves refusal = iota
	noField
	isExternal
	isOverridden
	labelled
	requiresUnmet
	noKeyToResume
	contextMissing
)

// resolve tells whether the place resolves the field, and where that leads; nil for a leaf.
func (c *checker) resolve(p *place, field string) (*place, refusal) {
	f := p.typ.Field(field)
	if f == nil {
		return nil, noField
	}
	sg := c.subgraph(p)
	below, provided := c.selected(p, p.provided, field)
	if sg.IsExternal(f) && !provided {
		return nil, isExternal
	}
	if why := c.overridden(p, f); why != resolves {
		return nil, why
	}
	if d := f.One("requires"); d != nil && !provided {
		if why := c.requirement(p, f, d.Text("fields")); why != resolves {
			return nil, why
		}
	}
	if !c.contextsSet(p, f) {
		return nil, contextMissing
	}
	of := sg.Type(f.Type.Name())
	if of == nil || !of.IsComposite() {
		return nil, resolves
	}
	if d := f.One("provides"); d != nil {
		below = append(append(schema.FieldSet(nil), below...), c.fieldSet(d.Text("fields"))...)
	}
	return c.place(p.graph, of, "", below), resolves
}

// overridden tells whether another subgraph overrides the field of this one, in the present world of labels.
func (c *checker) overridden(p *place, f *schema.Field) refusal {
	t := c.Type(p.typ.Name)
	if t == nil {
		return resolves
	}
	origins := c.Fields[t.Field(f.Name)]
	if origins == nil {
		return resolves
	}
	if label := origins.Overriding[p.graph]; label != "" {
		if on, decided := c.labels[label]; !decided || !on {
			return labelled
		}
	}
	o, ok := origins.Overridden[p.graph]
	switch {
	case !ok:
		return resolves
	case o.Label == "":
		return isOverridden
	}
	if on, decided := c.labels[o.Label]; !decided || on {
		return labelled
	}
	return resolves
}

// requirement tells whether what the field requires can be fetched before it, and the field's subgraph entered again.
func (c *checker) requirement(p *place, f *schema.Field, text string) refusal {
	try := attempt{p, f.Name}
	if c.trying[try] {
		c.tainted = true
		return requiresUnmet
	}
	c.trying[try] = true
	defer delete(c.trying, try)
	from := c.closure(p)
	if !c.satisfies(from, p.object(), c.fieldSet(text)) {
		return requiresUnmet
	}
	if c.RootOf(p.object()) != "" {
		return resolves
	}
	for _, key := range p.typ.All("key") {
		if key.Flag("resolvable", true) && c.satisfies(from, p.object(), c.fieldSet(key.Text("fields"))) {
			return resolves
		}
	}
	return noKeyToResume
}

// satisfies tells whether a field set on an object can be resolved from the places.
func (c *checker) satisfies(from []*place, object string, set schema.FieldSet) bool {
	for _, s := range set {
		if s.Fragment {
			if s.On != "" && s.On != object && !c.IsSubtype(s.On, object) {
				continue
			}
			if !c.satisfies(from, object, s.Sub) {
				return false
			}
			continue
		}
		if s.Field != "__typename" && !c.satisfiesField(from, s) {
			return false
		}
	}
	return true
}

func (c *checker) satisfiesField(from []*place, s *schema.Selection) bool {
	var to []*place
	for _, p := range from {
		next, why := c.resolve(p, s.Field)
		if why != resolves {
			continue
		}
		if len(s.Sub) == 0 {
			return true
		}
		if next != nil {
			to = append(to, next)
		}
	}
	// Each way alone must do: a plan takes one of them.
	for _, next := range to {
		if c.satisfiesBelow(next, s.Sub) {
			return true
		}
	}
	return false
}

// satisfiesBelow resolves a selection on a place of any composite type, for each object type that can come out.
func (c *checker) satisfiesBelow(p *place, set schema.FieldSet) bool {
	possible := c.subgraph(p).PossibleTypes(p.typ)
	if isInterfaceObject(p.typ) {
		return c.satisfies(c.closure(p), p.typ.Name, set)
	}
	if p.typ.Kind == ast.Object {
		return c.satisfies(c.closure(p), p.typ.Name, set)
	}
	for _, o := range possible {
		if !c.satisfies(c.closure(c.place(p.graph, o, "", p.provided)), o.Name, set) {
			return false
		}
	}
	return true
}
