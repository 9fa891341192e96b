package plan

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// shapes gives every position its shape and every node its slot.
func (b *builder) shapes(at *position) {
	at.shape = &Shape{ID: b.shapeCount, Slots: make([]Slot, 1, len(at.nodes)+1)}
	b.shapeCount++
	for _, n := range at.nodes {
		n.slot = len(at.shape.Slots)
		slot := Slot{Name: n.name}
		if def := definition(b.sg, n.name, n.types); def != nil {
			for t := def.Type; t.Elem != nil; t = t.Elem {
				slot.Lists++
			}
		}
		if n.field != nil {
			slot.ResponseKey = n.field.ResponseKey
		}
		if n.below != nil {
			b.shapes(n.below)
			slot.Shape = n.below.shape
		}
		at.shape.Slots = append(at.shape.Slots, slot)
	}
}

// output is how the objects at a position are written for the client, in one part of the answer.
func (b *builder) output(at *position, fields []*operation.Field, in deferredBy) *Output {
	known := at.known || slices.Contains(at.knownIn, b.partOf(at, in))
	out := &Output{Known: known}
	visible := b.sg.Possible(at.on.Name)
	if !at.on.Possible.SubsetOf(visible) {
		out.Types = visible
	}
	own, rest := b.wanted.split(fields, in)
	for _, f := range own {
		all := []supergraph.TypeSet{typesOf(f, at.on)}
		if known {
			all = typings(b.sg, f.Name, all[0])
		}
		for _, types := range all {
			field := b.outputField(at, f, types, in)
			if !visible.SubsetOf(types) || out.Types != nil && at.on.Possible.Len() > 1 {
				field.Types = types
			}
			out.Fields = append(out.Fields, field)
		}
	}
	for _, l := range rest {
		b.increment(at, l)
	}
	return out
}

// typings splits the types of a field where the API schema types it differently.
func typings(sg *supergraph.Supergraph, name string, types supergraph.TypeSet) []supergraph.TypeSet {
	if name == "__typename" || types.Len() == 1 {
		return []supergraph.TypeSet{types}
	}
	var texts []string
	var out []supergraph.TypeSet
	for id := range types.All() {
		f := sg.ObjectType(id).Field(name)
		text := form(f.Type, f.Base != nil)
		i := slices.Index(texts, text)
		if i < 0 {
			i = len(out)
			texts, out = append(texts, text), append(out, nil)
		}
		out[i].Add(id)
	}
	return out
}

// nonNull says at which levels of a field's type null is forbidden, for all of some runtime types.
func nonNull(sg *supergraph.Supergraph, name string, types supergraph.TypeSet) []bool {
	var out []bool
	started := false
	for id := range types.All() {
		level := 0
		for t := sg.ObjectType(id).Field(name).Type; t != nil; t = t.Elem {
			if !started {
				out = append(out, t.NonNull)
			} else if level < len(out) {
				out[level] = out[level] && t.NonNull
			}
			level++
		}
		started = true
	}
	return out
}

func (b *builder) outputField(at *position, f *operation.Field, types supergraph.TypeSet, in deferredBy) OutputField {
	out := OutputField{
		Key: f.ResponseKey, Denied: f.Denied,
		Coordinate: at.on.Name + "." + f.Name,
	}
	if id := first(types); at.on.Field(f.Name) == nil && id != supergraph.NoObject {
		out.Coordinate = b.sg.Objects[id] + "." + f.Name
	}
	if f.Name == "__typename" {
		out.Leaf, out.NonNull, out.Slot = LeafString, []bool{true}, TypeSlot
		return out
	}
	def := definition(b.sg, f.Name, types)
	out.NonNull = nonNull(b.sg, f.Name, types)
	n := at.fields[f]
	if n != nil {
		out.Slot = n.slot
	}
	switch {
	case def.Base == nil:
		out.Leaf, out.Enum = b.leaf(def.Type.Name())
	case n != nil:
		out.Output = b.output(n.below, f.Selections, in.below())
	default:
		out.Output = &Output{}
	}
	return out
}

func (b *builder) leaf(name string) (Leaf, map[string]struct{}) {
	switch name {
	case "Int":
		return LeafInt, nil
	case "Float":
		return LeafFloat, nil
	case "String":
		return LeafString, nil
	case "Boolean":
		return LeafBoolean, nil
	case "ID":
		return LeafID, nil
	}
	if t := b.sg.API.Types[name]; t != nil && t.Kind == ast.Enum {
		return LeafEnum, b.sg.EnumValues(name)
	}
	return LeafAny, nil
}
