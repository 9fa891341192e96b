package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// fetches turns groups, in their final order, into fetches.
func (b *builder) fetches(groups []*group) []*Fetch {
	out := make([]*Fetch, len(groups))
	for i, g := range groups {
		g.fetch = &Fetch{ID: i, Subgraph: g.subgraph, Kind: g.kind, Deferred: g.part != nil}
		out[i] = g.fetch
	}
	for _, g := range groups {
		for _, d := range g.deps {
			g.fetch.DependsOn = append(g.fetch.DependsOn, d.fetch.ID)
		}
		slices.Sort(g.fetch.DependsOn)
		b.write(g)
	}
	return out
}

// write makes the request of a group.
func (b *builder) write(g *group) {
	g.text = newText(b.graph, b.op.Variables, g)
	var selections string
	if v := g.visits[0]; v.into == nil || v.into.root {
		g.text.body(v)
		selections = g.text.b.String()
		g.fetch.Root = &Target{Path: v.path(), Selection: g.text.selection([]*visit{v})}
	} else {
		selections = b.entities(g)
	}
	b.declare(g, selections)
	for _, v := range g.visits {
		g.fetch.Reasons = append(g.fetch.Reasons, reason(v))
	}
}

// alike are entries whose representations and selections are the same, at different positions.
type alike struct {
	text    string
	visits  []*visit
	targets []*Target
	sent    []Representation
}

// entities writes the _entities fields of a request and returns its selection set. What is asked alike of
// objects at several positions is one field.
func (b *builder) entities(g *group) string {
	var fields []*alike
	for _, v := range g.visits {
		g.text.b.Reset()
		g.text.entity(v)
		target := &Target{Path: v.path(), Selection: g.text.selection([]*visit{v})}
		var sent []Representation
		sent, target.Representations = b.representations(v)
		next := &alike{text: g.text.b.String(), sent: sent}
		at := slices.IndexFunc(fields, func(a *alike) bool {
			return a.text == next.text && (sameRepresentations(a, sent, target) || b.unite(a, sent, target))
		})
		if at < 0 {
			at = len(fields)
			fields = append(fields, next)
		}
		fields[at].visits = append(fields[at].visits, v)
		fields[at].targets = append(fields[at].targets, target)
	}
	var out strings.Builder
	out.WriteByte('{')
	for i, f := range fields {
		e := &Entities{Key: "_entities", Variable: free(b.op.Variables, "r"), Representations: f.sent, Targets: f.targets}
		if len(fields) > 1 {
			e.Key, e.Variable = "_e"+strconv.Itoa(i), free(b.op.Variables, "r"+strconv.Itoa(i))
			out.WriteString(e.Key + ":")
		}
		out.WriteString("_entities(representations:$" + e.Variable + ")" + f.text)
		g.fetch.Entities = append(g.fetch.Entities, e)
	}
	out.WriteByte('}')
	return out.String()
}

// free returns a variable's name that the operation's own variables leave free.
func free(variables []operation.Variable, name string) string {
	for slices.ContainsFunc(variables, func(v operation.Variable) bool { return v.Name == name }) {
		name = "_" + name
	}
	return name
}

func sameRepresentations(a *alike, sent []Representation, target *Target) bool {
	if len(a.sent) != len(sent) {
		return false
	}
	for i := range sent {
		if a.sent[i].TypeName != sent[i].TypeName || (a.sent[i].Types == nil) != (sent[i].Types == nil) ||
			!a.sent[i].Types.Equal(sent[i].Types) ||
			!sameFields(a.targets[0].Representations[i], target.Representations[i]) {
			return false
		}
	}
	return true
}

// unite lets objects of a position that has one type go with those of the same type at another position, which tells their
// types: else the same representation could be sent with both.
func (b *builder) unite(a *alike, sent []Representation, target *Target) bool {
	if len(a.sent) != 1 || len(sent) != 1 || !sameFields(a.targets[0].Representations[0], target.Representations[0]) {
		return false
	}
	static, told := a.sent[0], sent[0]
	if static.Types != nil {
		static, told = told, static
	}
	if static.Types != nil || told.TypeName != "" || told.Types.Len() != 1 || static.TypeName != b.sg.Objects[first(told.Types)] {
		return false
	}
	a.sent[0] = told
	return true
}

// sameFields compares representations but for their slots.
func sameFields(a, b []RepresentationField) bool {
	return slices.EqualFunc(a, b, func(x, y RepresentationField) bool {
		return x.Name == y.Name && x.Key == y.Key && x.NonNull == y.NonNull && x.TypeName == y.TypeName &&
			x.Types.Equal(y.Types) && sameFields(x.Fields, y.Fields)
	})
}

// entity writes the selection set of an _entities field.
func (t *text) entity(v *visit) {
	if scope := v.view.scope; scope != nil {
		t.b.WriteString("{...on " + scope.Name)
		t.body(v)
		t.b.WriteByte('}')
		return
	}
	if v.view.can().Len() == 1 {
		t.b.WriteString("{...on " + t.sg.Objects[first(v.view.can())])
		t.body(v)
		t.b.WriteByte('}')
		return
	}
	t.body(v)
}

// declare puts the operation's text together: its variables, then its selections.
func (b *builder) declare(g *group, selections string) {
	f := g.fetch
	var declared []string
	for i, v := range b.op.Variables {
		if g.text.used[i] {
			declared = append(declared, "$"+v.Name+":"+v.Type)
			f.Variables = append(f.Variables, VariableRef{Name: v.Name, Index: i})
		}
	}
	for _, e := range f.Entities {
		declared = append(declared, "$"+e.Variable+":[_Any!]!")
	}
	for i, c := range g.text.contexts {
		f.Contexts = append(f.Contexts, g.visits[0].context(c, g.text.contextName(i)))
		declared = append(declared, "$"+g.text.contextName(i)+":"+c.Type)
	}
	head := [...]string{"query", "mutation", "subscription"}[f.Kind]
	switch {
	case len(declared) > 0:
		f.Query = head + "(" + strings.Join(declared, ",") + ")" + selections
	case f.Kind == operation.Query:
		f.Query = selections
	default:
		f.Query = head + selections
	}
	f.Query += g.text.definitions.String()
	f.Envelope = append(f.Envelope, `{"query":`...)
	f.Envelope = appendJSONString(f.Envelope, f.Query)
	f.Envelope = append(f.Envelope, `,"variables":{`...)
}

// appendJSONString quotes a GraphQL text.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// representations says how the objects of an entry are sent, and from which slots. Types that are sent alike
// share one representation.
func (b *builder) representations(v *visit) (sent []Representation, fields [][]RepresentationField) {
	total := v.into.as == nil && v.at.on.Possible.Len() > 1
	for _, s := range v.sent {
		r, list := Representation{}, b.representation(v, s)
		switch {
		case v.into.as != nil:
			r.TypeName = v.into.as.Name
			// What differs by runtime type can't be sent of an object without one.
			varies := slices.ContainsFunc(list, func(f RepresentationField) bool { return f.Types != nil })
			if v.partial || len(v.sent) > 1 || varies {
				r.Types = s.types
			}
		case total:
			r.Types = s.types
		default:
			r.TypeName = b.sg.Objects[first(s.types)]
		}
		at := -1
		for i := range fields {
			if total && sent[i].TypeName == r.TypeName && sameSlots(fields[i], list) {
				at = i
			}
		}
		if at >= 0 {
			sent[at].Types = sent[at].Types.Union(r.Types)
			continue
		}
		sent, fields = append(sent, r), append(fields, list)
	}
	return sent, fields
}

func sameSlots(a, b []RepresentationField) bool {
	return slices.EqualFunc(a, b, func(x, y RepresentationField) bool {
		return x.Name == y.Name && x.Slot == y.Slot && x.Key == y.Key && x.NonNull == y.NonNull && x.TypeName == y.TypeName &&
			x.Types.Equal(y.Types) && sameSlots(x.Fields, y.Fields)
	})
}

// representation lists what is sent for objects of some types: the key, then the requires.
func (b *builder) representation(v *visit, s *sent) []RepresentationField {
	fields := b.represent(nil, v, v.at, s.key.Fields.Fields, s.types, true)
	for _, r := range s.requires {
		fields = b.represent(fields, v, v.at, r.Fields, s.types, false)
	}
	return fields
}

func (b *builder) represent(into []RepresentationField, v *visit, at *position, set []*supergraph.FieldSelection, types supergraph.TypeSet, key bool) []RepresentationField {
	for _, sel := range set {
		if sel.Name == "__typename" {
			if !slices.ContainsFunc(into, func(f RepresentationField) bool { return f.TypeName }) {
				into = append(into, RepresentationField{Name: sel.Name, TypeName: true})
			}
			continue
		}
		rest := types.Intersect(sel.Types)
		for _, h := range byNode(v.holds[holding{at, sel}]) {
			if of := h.types.Intersect(rest); !of.Empty() {
				into = b.representField(into, v, at, sel, h.node, of, types, key)
				rest = rest.Minus(of)
			}
		}
	}
	return into
}

// byNode joins the types that one node holds.
func byNode(all []held) []held {
	var out []held
	for _, h := range all {
		i := slices.IndexFunc(out, func(o held) bool { return o.node == h.node })
		if i < 0 {
			out = append(out, h)
			continue
		}
		out[i].types = out[i].types.Union(h.types)
	}
	return out
}

func (b *builder) representField(into []RepresentationField, v *visit, at *position, sel *supergraph.FieldSelection, n *node, of, types supergraph.TypeSet, key bool) []RepresentationField {
	f := RepresentationField{Name: sel.Name, Slot: n.slot, Key: key, NonNull: b.nonNull(v, of, sel.Name)}
	if !types.SubsetOf(of) && at.on.Possible.Len() > 1 {
		f.Types = of
	}
	i := slices.IndexFunc(into, func(g RepresentationField) bool {
		return g.Name == f.Name && g.Slot == f.Slot && g.Types.Equal(f.Types)
	})
	if i < 0 {
		i = len(into)
		if sel.Base != nil && sel.Base.Abstract() {
			f.Fields = []RepresentationField{{Name: "__typename", TypeName: true}}
		}
		into = append(into, f)
	}
	if sel.Base != nil {
		into[i].Fields = b.represent(into[i].Fields, v, n.below, sel.Fields, sel.Base.Possible, key)
	}
	return into
}

// nonNull reports whether a field that is sent is non-null where it is received.
func (b *builder) nonNull(v *visit, types supergraph.TypeSet, name string) bool {
	for id := range types.All() {
		t := b.sg.ObjectType(id)
		if v.view.blind {
			for _, i := range t.Interfaces {
				if p := i.In[v.view.subgraph]; p != nil && p.InterfaceObject && i.Field(name) != nil {
					t = i
				}
			}
		}
		if f := t.Field(name); f != nil && f.In[v.view.subgraph] != nil && f.In[v.view.subgraph].Type.NonNull {
			return true
		}
	}
	return false
}

// reason says why an entry exists.
func reason(v *visit) string {
	var names []string
	for n := v.at.parent; n != nil; n = n.at.parent {
		name := n.name
		if n.field != nil {
			name = n.field.ResponseKey
		}
		names = append([]string{name}, names...)
	}
	out := strings.Join(v.serves, ", ")
	if len(names) > 0 {
		out += " of " + strings.Join(names, ".")
	}
	for _, s := range v.sent {
		for _, r := range s.requires {
			out += "; sends the requires " + strconv.Quote(r.Text)
		}
	}
	return strings.TrimSpace(out)
}
