package execute

import "github.com/agora-supergraph/agora/router/plan"

// misshapen looks for what is wrong with an object that could not be represented though nothing of its key is null:
// objects that stand in fewer or more lists than their type says. It returns the word that says so, or 0.
func (s *state) misshapen(fields []plan.RepresentationField, shape *plan.Shape, base int) word {
	id := s.arena.typeOf(base)
	for i := range fields {
		f := &fields[i]
		if f.Fields == nil || f.Types != nil && !f.Types.Has(id) {
			continue
		}
		slot := &shape.Slots[f.Slot]
		fits, why := s.fits(f, slot, s.arena.words[base+f.Slot], slot.Lists)
		switch {
		case !fits:
			return badWord(unsendable, s.readerOf(shape, f.Slot))
		case why != 0:
			return why
		}
	}
	return 0
}

// fits reports whether a value stands in so many lists; why is what is wrong within its objects.
func (s *state) fits(f *plan.RepresentationField, slot *plan.Slot, w word, lists int) (fits bool, why word) {
	switch w.kind() {
	case object:
		return lists == 0, s.misshapen(f.Fields, slot.Shape, w.base())
	case list:
		for i := range w.length() {
			if fits, why := s.fits(f, slot, s.arena.words[w.base()+i], lists-1); !fits || why != 0 {
				return fits, why
			}
		}
		return lists > 0, 0
	}
	return true, 0
}

// readerOf is the first fetch that reads into a slot.
func (s *state) readerOf(shape *plan.Shape, slot int) int {
	for i := range s.fetches {
		f := s.fetches[i].fetch
		if f.Root != nil && reads(f.Root.Selection, shape, slot) {
			return i
		}
		for _, e := range f.Entities {
			for _, t := range e.Targets {
				if reads(t.Selection, shape, slot) {
					return i
				}
			}
		}
	}
	return 0
}

func reads(sel *plan.Selection, shape *plan.Shape, slot int) bool {
	for i := range sel.Fields {
		f := &sel.Fields[i]
		if sel.Shape == shape && f.Slot == slot || f.Selection != nil && reads(f.Selection, shape, slot) {
			return true
		}
	}
	return false
}
