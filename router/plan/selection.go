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
			sel.Types = at.on.Possible
			sel.Fields = append(sel.Fields, SelectionField{Key: "__typename", Slot: TypeSlot})
		}
		for _, p := range v.sorted() {
			t.selectionFields(sel, seen, visits, p)
		}
	}
	return sel
}

// selectionFields reads a picked field under every key that the text gave it.
func (t *text) selectionFields(sel *Selection, seen map[string]bool, visits []*visit, p *pick) {
	for _, key := range t.named[p.node] {
		if seen[key] {
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
