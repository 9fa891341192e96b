package plan

import (
	"github.com/agora-supergraph/agora/router/supergraph"
)

// selection is how the answer to visits of one position is read: several, where a field has different types for
// different parents. It must be called after the text is written, which gives the keys.
func (t *text) selection(visits []*visit) *Selection {
	at := visits[0].at
	sel := &Selection{Shape: at.shape, Type: staticType(visits)}
	seen := map[string]bool{}
	for _, v := range visits {
		if v.typed && !v.single() && !seen["__typename"] {
			seen["__typename"] = true
			sel.Fields = append(sel.Fields, SelectionField{Key: "__typename", Slot: TypeSlot})
		}
		for _, p := range v.sorted() {
			t.selectionFields(sel, seen, visits, v, p)
		}
	}
	return sel
}

func (t *text) selectionFields(sel *Selection, seen map[string]bool, visits []*visit, v *visit, p *pick) {
	for id := range p.types.All() {
		src := t.source(v, p, id)
		if src == nil {
			continue
		}
		key, ok := t.keys[keyOf{p.node, form(src.Type, p.node.below != nil)}]
		if !ok || seen[key] {
			continue
		}
		seen[key] = true
		field := SelectionField{Key: key, Slot: p.node.slot}
		if p.below != nil {
			field.Selection = t.selection(allBelow(visits, p.node))
		}
		sel.Fields = append(sel.Fields, field)
	}
	if !v.single() {
		t.interfaceKeys(sel, seen, visits, p)
	}
}

// interfaceKeys adds the keys under which a field was asked on an interface, where it may have another type.
func (t *text) interfaceKeys(sel *Selection, seen map[string]bool, visits []*visit, p *pick) {
	for id := range p.types.All() {
		for _, i := range t.sg.ObjectType(id).Interfaces {
			f := i.Field(p.node.name)
			if f == nil || t.group.subgraph < 0 || f.In[t.group.subgraph] == nil {
				continue
			}
			key, ok := t.keys[keyOf{p.node, form(f.In[t.group.subgraph].Type, p.node.below != nil)}]
			if !ok || seen[key] {
				continue
			}
			seen[key] = true
			field := SelectionField{Key: key, Slot: p.node.slot}
			if p.below != nil {
				field.Selection = t.selection(allBelow(visits, p.node))
			}
			sel.Fields = append(sel.Fields, field)
		}
	}
}

// allBelow are the visits in one field.
func allBelow(visits []*visit, n *node) []*visit {
	var out []*visit
	for _, v := range visits {
		for _, p := range v.picks {
			if p.node == n && p.below != nil {
				out = append(out, p.below)
			}
		}
	}
	return out
}

// staticType is the only runtime type that the visited objects can have, or NoObject.
func staticType(visits []*visit) supergraph.ObjectID {
	out := supergraph.NoObject
	for i, v := range visits {
		id := supergraph.NoObject
		if can := v.view.can(); can.Len() == 1 {
			id = first(can)
		}
		if i > 0 && id != out {
			return supergraph.NoObject
		}
		out = id
	}
	return out
}
