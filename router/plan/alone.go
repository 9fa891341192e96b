package plan

// Compile sets what is found in a plan that is made otherwise: OutputField.Encoded, SelectionField.Quoted, runs and
// Selection.Alone. Build does it at last, and so has to do who makes a plan by hand.
func (p *Plan) Compile() {
	p.Output.setEncoded()
	for _, in := range p.Increments {
		in.Output.setEncoded()
	}
	for _, f := range p.Fetches {
		for _, t := range f.targets() {
			t.Selection.setQuoted()
		}
	}
	p.markRuns()
	p.markAlone()
}

// Two objects at one position are the same for ever if one selection alone reads them, and has read the same text: what
// later fetches ask about them, and so what they bring, follows from that text. This doesn't hold where arguments come
// from contexts, which differ by what stands above, where a path is taken for some types of what stands above, and
// where parts of the answer are delivered object by object.
func (p *Plan) markAlone() {
	if p.Deferred != nil {
		return
	}
	m := aloneMarker{readers: map[*Slot]int{}}
	for _, f := range p.Fetches {
		if f.Contexts != nil {
			return
		}
		for _, t := range f.targets() {
			m.count(t.Selection)
			m.divide(p.Root, t.Path)
		}
	}
	for _, f := range p.Fetches {
		for _, t := range f.targets() {
			m.mark(t.Selection)
		}
	}
}

func (f *Fetch) targets() (all []*Target) {
	if f.Root != nil {
		return []*Target{f.Root}
	}
	for _, e := range f.Entities {
		all = append(all, e.Targets...)
	}
	return all
}

// aloneMarker counts who reads objects into a slot; twice where objects differ by what stands above them.
type aloneMarker struct{ readers map[*Slot]int }

func (m aloneMarker) count(sel *Selection) {
	for i := range sel.Fields {
		if f := &sel.Fields[i]; f.Selection != nil {
			m.readers[&sel.Shape.Slots[f.Slot]]++
			m.count(f.Selection)
		}
	}
}

// divide counts all slots of a path from the first step on that is not taken for all types.
func (m aloneMarker) divide(shape *Shape, path []Step) {
	divided := false
	for _, step := range path {
		slot := &shape.Slots[step.Slot]
		if divided = divided || step.Types != nil; divided {
			m.readers[slot] += 2
		}
		shape = slot.Shape
	}
}

func (m aloneMarker) mark(sel *Selection) {
	for i := range sel.Fields {
		if f := &sel.Fields[i]; f.Selection != nil {
			f.Selection.Alone = m.readers[&sel.Shape.Slots[f.Slot]] == 1
			m.mark(f.Selection)
		}
	}
}
