package plan

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// text writes the operation of one request, as short as can be, and gives every value in the answer its key.
//
// A value's key is its field's name, unless the name is taken at that position: by the same field with other
// arguments, or by one of another type in another fragment, which GraphQL does not let share a key.
type text struct {
	*graph
	variables []operation.Variable
	group     *group
	keys      map[keyOf]string
	// named are the keys of each node: more than one, where it has several types.
	named map[*node][]string
	taken map[*position]map[string]bool
	// used are the indexes of the variables that the text uses.
	used map[int]bool
	// contexts are the arguments from contexts, each a variable of the name c and its number.
	contexts []*supergraph.ContextArgument
	// bodies are the selection sets that have been written below fields; shared are the fragments that say some again.
	bodies map[*visit]string
	shared map[*visit]string
	b      strings.Builder
	// definitions are those of the fragments.
	definitions strings.Builder
}

type keyOf struct {
	node *node
	// form is the type as far as GraphQL compares it between fields that share a key.
	form string
}

func newText(g *graph, variables []operation.Variable, gr *group) *text {
	return &text{
		graph: g, variables: variables, group: gr, keys: map[keyOf]string{}, named: map[*node][]string{},
		taken: map[*position]map[string]bool{}, used: map[int]bool{}, bodies: map[*visit]string{}, shared: map[*visit]string{},
	}
}

// key returns the key of a node whose value has a type in the subgraph.
func (t *text) key(n *node, typ *ast.Type) string {
	k := keyOf{n, form(typ, n.below != nil)}
	if known, ok := t.keys[k]; ok {
		return known
	}
	taken := t.taken[n.at]
	if taken == nil {
		taken = map[string]bool{}
		t.taken[n.at] = taken
	}
	key := n.name
	for i := len(taken); taken[key]; i++ {
		key = "_" + strconv.Itoa(i)
	}
	taken[key] = true
	t.keys[k] = key
	t.named[n] = append(t.named[n], key)
	return key
}

// form is the shape of a type that two fields with one key must have in common.
func form(t *ast.Type, composite bool) string {
	s := t.String()
	if composite {
		s = strings.Replace(s, t.Name(), "", 1)
	}
	return s
}

// single reports whether all objects of a visit look alike to the subgraph.
func (v *visit) single() bool { return v.view.blind || v.view.can().Len() <= 1 }

// source is how the request's subgraph knows a picked field.
func (t *text) source(v *visit, p *pick, id supergraph.ObjectID) *supergraph.Source {
	if p.source != nil {
		return p.source
	}
	if v.view.subgraph < 0 {
		f := t.sg.ObjectType(id).Field(p.node.name)
		return &supergraph.Source{Type: f.Type, Base: f.Base}
	}
	return t.seen(v.view, id, p.node.name)
}

// body writes the selection set of a visit, with its braces.
func (t *text) body(v *visit) {
	picks := v.sorted()
	t.b.WriteByte('{')
	start := t.b.Len()
	if v.typed && !v.single() {
		t.b.WriteString("__typename")
	}
	if scope := v.view.scope; v.single() && (scope == nil || !scope.Abstract() || v.view.blind || v.view.subgraph < 0) {
		t.fields(v, picks, first(v.types()), start)
	} else {
		t.fragments(v, picks, start)
	}
	if t.b.Len() == start {
		t.b.WriteString("__typename")
	}
	t.b.WriteByte('}')
}

// types are the runtime types that a visit is about: never empty.
func (v *visit) types() supergraph.TypeSet {
	if v.view.types.Empty() {
		return v.at.on.Possible
	}
	return v.view.types
}

func (v *visit) sorted() []*pick {
	index := make(map[*node]int, len(v.at.nodes))
	for i, n := range v.at.nodes {
		index[n] = i
	}
	picks := slices.Clone(v.picks)
	sort.SliceStable(picks, func(i, j int) bool { return index[picks[i].node] < index[picks[j].node] })
	return picks
}

// fields writes the picks that apply to one runtime type.
func (t *text) fields(v *visit, picks []*pick, id supergraph.ObjectID, start int) {
	for _, p := range picks {
		if !p.types.Has(id) && !(v.view.blind && !p.types.Empty()) {
			continue
		}
		at := id
		if !p.types.Has(id) {
			at = first(p.types)
		}
		t.field(v, p, t.source(v, p, at).Type, start)
	}
}

func (t *text) field(v *visit, p *pick, typ *ast.Type, start int) {
	if last := t.last(); t.b.Len() > start && last != '}' && last != ')' && last != '{' {
		t.b.WriteByte(' ')
	}
	key := t.key(p.node, typ)
	if key != p.node.name {
		t.b.WriteString(key)
		t.b.WriteByte(':')
	}
	t.b.WriteString(p.node.name)
	t.arguments(p)
	if p.below != nil {
		t.below(p.below)
	}
}

// longText is the length from which a selection set that comes again becomes a fragment. Where types that no interface
// names are asked for the same at every depth, the text would double with each.
const longText = 200

// below writes the selection set of the objects in a field: by a fragment if it has been written before, for another type,
// and is long.
func (t *text) below(v *visit) {
	known, again := t.bodies[v]
	switch scope := v.view.scope; {
	case !again:
		start := t.b.Len()
		t.body(v)
		t.bodies[v] = t.b.String()[start:]
	case len(known) < longText || scope == nil || scope.Object != supergraph.NoObject && t.isRoot(scope.Object):
		t.b.WriteString(known)
	default:
		name := t.shared[v]
		if name == "" {
			name = "f" + strconv.Itoa(len(t.shared))
			t.shared[v] = name
			t.definitions.WriteString("fragment " + name + " on " + scope.Name + known)
		}
		t.b.WriteString("{..." + name + "}")
	}
}

func (t *text) last() byte {
	s := t.b.String()
	return s[len(s)-1]
}

func (t *text) arguments(p *pick) {
	var args []string
	if f := p.node.field; f != nil {
		for _, a := range f.Arguments {
			var b strings.Builder
			writeValue(&b, a.Value, t.variable)
			args = append(args, a.Name+":"+b.String())
		}
	} else if p.node.args != "" {
		args = append(args, p.node.args)
	}
	if p.source != nil {
		for i := range p.source.Context {
			args = append(args, p.source.Context[i].Name+":$"+t.fromContext(&p.source.Context[i]))
		}
	}
	if len(args) > 0 {
		t.b.WriteByte('(')
		t.b.WriteString(strings.Join(args, ","))
		t.b.WriteByte(')')
	}
}

func (t *text) variable(i int) string {
	t.used[i] = true
	return "$" + t.variables[i].Name
}

// fragments writes picks that differ by runtime type: on the declared interface what holds for all, then on
// interfaces or object types what holds for some.
func (t *text) fragments(v *visit, picks []*pick, start int) {
	can := v.view.can()
	rest := picks[:0:0]
	for _, p := range picks {
		if typ := t.onInterface(v, v.view.scope, p, can); typ != nil {
			t.field(v, p, typ, start)
		} else {
			rest = append(rest, p)
		}
	}
	for _, part := range t.parts(v, rest, can) {
		if part.on != nil {
			t.fragment(part.on.Name, start, func(start int) {
				for _, p := range part.picks {
					t.field(v, p, part.on.Field(p.node.name).In[v.view.subgraph].Type, start)
				}
			})
			continue
		}
		for id := range part.types.All() {
			t.fragment(t.sg.Objects[id], start, func(start int) { t.fields(v, part.picks, id, start) })
		}
	}
}

func (t *text) fragment(on string, start int, fields func(start int)) {
	if last := t.last(); t.b.Len() > start && last != '}' && last != ')' {
		t.b.WriteByte(' ')
	}
	t.b.WriteString("...on ")
	t.b.WriteString(on)
	t.b.WriteByte('{')
	fields(t.b.Len())
	t.b.WriteByte('}')
}

// onInterface returns the type of a pick on an interface, if it can be asked there: the pick is for all runtime
// types that the subgraph means by the interface here, and the interface has the field.
func (t *text) onInterface(v *visit, on *supergraph.Type, p *pick, can supergraph.TypeSet) *ast.Type {
	if on == nil || on.Kind != ast.Interface || v.view.subgraph < 0 || !can.SubsetOf(p.types) {
		return nil
	}
	f := on.Field(p.node.name)
	if f == nil || f.In[v.view.subgraph] == nil {
		return nil
	}
	src := f.In[v.view.subgraph]
	if p.below != nil && (src.Base == nil || src.Base != p.below.view.scope) {
		return nil
	}
	return src.Type
}

// part is a set of runtime types for which the same fields are asked: on an interface if one means just them.
type part struct {
	types supergraph.TypeSet
	picks []*pick
	on    *supergraph.Type
}

func (t *text) parts(v *visit, picks []*pick, can supergraph.TypeSet) []part {
	var parts []part
	for id := range can.All() {
		var mine []*pick
		for _, p := range picks {
			if p.types.Has(id) {
				mine = append(mine, p)
			}
		}
		if len(mine) == 0 {
			continue
		}
		at := slices.IndexFunc(parts, func(q part) bool { return slices.Equal(q.picks, mine) })
		if at < 0 {
			at = len(parts)
			parts = append(parts, part{picks: mine})
		}
		parts[at].types.Add(id)
	}
	for i := range parts {
		if parts[i].types.Len() > 1 {
			parts[i].on = t.common(v, &parts[i], can)
		}
	}
	return parts
}

// common finds an interface that means just the types of a part, among those that can stand here.
func (t *text) common(v *visit, p *part, can supergraph.TypeSet) *supergraph.Type {
	for _, i := range t.sg.ObjectType(first(p.types)).Interfaces {
		in := i.In[v.view.subgraph]
		if in == nil || in.InterfaceObject || !in.Possible.Intersect(can).Equal(p.types) {
			continue
		}
		all := true
		for _, q := range p.picks {
			all = all && t.onInterface(v, i, q, p.types) != nil
		}
		if all {
			return i
		}
	}
	return nil
}
