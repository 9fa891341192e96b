package execute

import "github.com/agora-supergraph/agora/router/plan"

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
		if sel.Shape.Slots[slot].ResponseKey != "" {
			a.words[base+slot] = why
			why, seen = explained, true
		}
	}
	return seen
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

// copyFields copies what a selection has read from one object to another. It returns false if the arena is
// full. Objects are copied, not shared: later fetches may fill them differently.
func (a *arena) copyFields(sel *plan.Selection, from, to int) bool {
	for i := range sel.Fields {
		f := &sel.Fields[i]
		w := a.words[from+f.Slot]
		switch {
		case f.Slot == plan.TypeSlot && a.words[to] != 0:
			continue
		case f.Slot != plan.TypeSlot && w <= null && a.words[to+f.Slot] != absent:
			continue
		case f.Selection != nil:
			room := false
			if w, room = a.copyValue(f.Selection, w); !room {
				return false
			}
		}
		a.words[to+f.Slot] = w
	}
	return true
}

func (a *arena) copyValue(sel *plan.Selection, w word) (word, bool) {
	switch w.kind() {
	case object:
		n := len(sel.Shape.Slots)
		base, room := a.alloc(n)
		if !room {
			return absent, false
		}
		copy(a.words[base:base+n], a.words[w.base():w.base()+n])
		for i := range sel.Fields {
			f := &sel.Fields[i]
			if f.Selection == nil {
				continue
			}
			v, room := a.copyValue(f.Selection, a.words[base+f.Slot])
			if !room {
				return absent, false
			}
			a.words[base+f.Slot] = v
		}
		return objectWord(base), true
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
			v, room := a.copyValue(sel, a.words[w.base()+i])
			if !room {
				return absent, false
			}
			a.words[base+i] = v
		}
		return listWord(base, n), true
	}
	return w, true
}
