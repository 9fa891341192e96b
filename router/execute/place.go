package execute

import (
	"slices"

	"github.com/agora-supergraph/agora/router/plan"
)

// What a fetch leaves in the slots of an object, besides what its answer says: copies for objects with the
// same representation, and marks where an answer is missing or wrong.

// spoil takes back what a selection reads into the object at base: one field that clients see becomes why, the
// others become explained nulls, so that one cause makes one error. It returns false if clients see none.
func (a *arena) spoil(sel *plan.Selection, base int, why word) (seen bool) {
	for i := range sel.Fields {
		slot := sel.Fields[i].Slot
		if slot == plan.TypeSlot {
			continue
		}
		a.words[base+slot] = explained
		a.cut(&sel.Fields[i], base)
		if sel.Shape.Slots[slot].ResponseKey != "" {
			a.words[base+slot] = why
			why, seen = explained, true
		}
	}
	return seen
}

// cut takes back the run that a field belongs to: its values are not what they were.
func (a *arena) cut(f *plan.SelectionField, base int) {
	if f.RunSlot != 0 {
		a.words[base+f.RunSlot] = absent
	}
}

// withdraw takes back what a selection has read into the object at base of an answer that proved broken.
// Objects from mark on were made by that answer and go; those before it lose only what the answer wrote.
func (a *arena) withdraw(sel *plan.Selection, base, mark int) {
	for i := range sel.Fields {
		f := &sel.Fields[i]
		if f.Slot == plan.TypeSlot {
			continue
		}
		at := base + f.Slot
		a.words[at] = a.withdrawn(f.Selection, a.words[at], mark)
		a.cut(f, base)
	}
}

func (a *arena) withdrawn(sel *plan.Selection, w word, mark int) word {
	switch {
	case sel == nil, w.kind() < object, w.base() >= mark:
		return explained
	case w.kind() == object:
		a.withdraw(sel, w.base(), mark)
	default:
		for i := range w.length() {
			at := w.base() + i
			a.words[at] = a.withdrawn(sel, a.words[at], mark)
		}
	}
	return w
}

// explain marks what a selection hasn't filled in the object at base: an error says why.
func (a *arena) explain(sel *plan.Selection, base int) {
	for i := range sel.Fields {
		if slot := sel.Fields[i].Slot; slot != plan.TypeSlot && a.words[base+slot] <= null {
			a.words[base+slot] = explained
		}
	}
}

// fresh reports whether nothing stands yet where the selection reads objects: only then can its values be
// copied to or from the object at base, else they must be merged.
func (a *arena) fresh(sel *plan.Selection, base int) bool {
	for i := range sel.Fields {
		if f := &sel.Fields[i]; f.Selection != nil && a.words[base+f.Slot] != absent {
			return false
		}
	}
	return true
}

// maxCongruent bounds the fields of selections that are compared: each with each.
const maxCongruent = 64

// congruent reports whether two selections read the same JSON alike, be it into different slots: what one has read
// can then be copied to where the other one would have put it.
func congruent(a, b *plan.Selection) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Type != b.Type || !slices.Equal(a.Types, b.Types) || len(a.Fields) != len(b.Fields) || len(a.Fields) > maxCongruent {
		return false
	}
	for i := range a.Fields {
		f, g := &a.Fields[i], &b.Fields[i]
		if f.Key != g.Key || (f.Slot == plan.TypeSlot) != (g.Slot == plan.TypeSlot) || !congruent(f.Selection, g.Selection) {
			return false
		}
		for j := range i {
			// Where two keys share a slot, the other's must, too.
			if (a.Fields[j].Slot == f.Slot) != (b.Fields[j].Slot == g.Slot) {
				return false
			}
		}
	}
	return true
}

// copyFields copies what a selection has read into one object to another one, where a congruent selection would
// have put it. It returns false if the arena is full. Objects are copied, not shared, where later fetches may fill them
// differently.
func (a *arena) copyFields(sel, toSel *plan.Selection, from, to int) bool {
	if a.words[to] == 0 {
		a.words[to] = typeWord(toSel.Type)
	}
	for i := range sel.Fields {
		f, g := &sel.Fields[i], &toSel.Fields[i]
		w := a.words[from+f.Slot]
		a.copyRun(sel, toSel, i, from, to)
		switch {
		case f.Slot == plan.TypeSlot && a.words[to] != 0:
			continue
		case f.Slot != plan.TypeSlot && w <= null && a.words[to+g.Slot] != absent:
			continue
		case f.Selection != nil && f.Selection == g.Selection && f.Selection.Alone:
			a.shared = true
		case f.Selection != nil:
			room := false
			if w, room = a.copyValue(f.Selection, g.Selection, w); !room {
				return false
			}
		}
		a.words[to+g.Slot] = w
	}
	return true
}

// copyRun copies the run that begins with a field, if the other selection has the same one.
func (a *arena) copyRun(sel, toSel *plan.Selection, i, from, to int) {
	f, g := &sel.Fields[i], &toSel.Fields[i]
	if g.Run == 0 {
		return
	}
	same := f.Run == g.Run
	for k := 0; same && sel != toSel && k < f.Run; k++ {
		same = sel.Fields[i+k].Leaf == toSel.Fields[i+k].Leaf
	}
	run := absent
	if same {
		run = a.words[from+f.RunSlot]
	}
	a.words[to+g.RunSlot] = run
}

func (a *arena) copyValue(sel, toSel *plan.Selection, w word) (word, bool) {
	switch w.kind() {
	case object:
		return a.copyObject(sel, toSel, w.base())
	case list:
		n := w.length()
		if n == 0 {
			return w, true
		}
		base, room := a.alloc(n)
		if !room {
			return absent, false
		}
		for i := range n {
			v, room := a.copyValue(sel, toSel, a.words[w.base()+i])
			if !room {
				return absent, false
			}
			a.words[base+i] = v
		}
		return listWord(base, n), true
	}
	return w, true
}

// copyObject copies an object that only this answer has filled so far.
func (a *arena) copyObject(sel, toSel *plan.Selection, from int) (word, bool) {
	base, room := a.alloc(len(toSel.Shape.Slots))
	if !room {
		return absent, false
	}
	a.words[base] = a.words[from]
	for i := range sel.Fields {
		f, g := &sel.Fields[i], &toSel.Fields[i]
		v := a.words[from+f.Slot]
		a.copyRun(sel, toSel, i, from, base)
		if f.Selection != nil {
			if v, room = a.copyValue(f.Selection, g.Selection, v); !room {
				return absent, false
			}
		}
		a.words[base+g.Slot] = v
	}
	return objectWord(base), true
}
