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

// output is how the objects at a position are written for the client.
func (b *builder) output(at *position, fields []*operation.Field) *Output {
	out := &Output{}
	visible := b.sg.Possible(at.on.Name)
	if !at.on.Possible.SubsetOf(visible) {
		out.Types = visible
	}
	for _, f := range fields {
		for _, types := range b.typings(f, typesOf(f, at.on)) {
			field := b.outputField(at, f, types)
			if !visible.SubsetOf(types) || out.Types != nil && at.on.Possible.Len() > 1 {
				field.Types = types
			}
			out.Fields = append(out.Fields, field)
		}
	}
	return out
}

// typings splits the types of a field where the API schema types it differently.
func (b *builder) typings(f *operation.Field, types supergraph.TypeSet) []supergraph.TypeSet {
	if types.Len() == 1 || f.Name == "__typename" {
		return []supergraph.TypeSet{types}
	}
	var texts []string
	var out []supergraph.TypeSet
	for id := range types.All() {
		text := b.sg.ObjectType(id).Field(f.Name).Type.String()
		if def := definition(b.sg, f.Name, types); def.Base != nil {
			text = form(b.sg.ObjectType(id).Field(f.Name).Type, true)
		}
		i := slices.Index(texts, text)
		if i < 0 {
			i = len(out)
			texts, out = append(texts, text), append(out, nil)
		}
		out[i].Add(id)
	}
	return out
}

func (b *builder) outputField(at *position, f *operation.Field, types supergraph.TypeSet) OutputField {
	out := OutputField{
		Key: f.ResponseKey, Encoded: append(appendJSONString(nil, f.ResponseKey), ':'), Denied: f.Denied,
		Coordinate: at.on.Name + "." + f.Name,
	}
	if f.Name == "__typename" {
		out.Leaf, out.NonNull, out.Slot = LeafString, []bool{true}, TypeSlot
		return out
	}
	def := definition(b.sg, f.Name, types)
	for t := def.Type; t != nil; t = t.Elem {
		out.NonNull = append(out.NonNull, t.NonNull)
	}
	n := at.fields[f]
	if n != nil {
		out.Slot = n.slot
	}
	switch {
	case def.Base == nil:
		out.Leaf, out.Enum = b.leaf(def.Type.Name())
	case n != nil:
		out.Output = b.output(n.below, f.Selections)
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
