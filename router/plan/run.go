package plan

// A run is a sequence of leaves that the response has just as the answer has it: the same keys in the same order, with
// nothing between. Such leaves are written in one piece. Of a run that has come so, the slot SelectionField.RunSlot holds
// the text; the leaves are in their own slots as well, for whoever looks at one of them.

// markRuns finds the runs of a plan. Where parts are delivered later, there is more than one Output of a shape, so there
// are none.
func (p *Plan) markRuns() {
	if p.Deferred != nil {
		return
	}
	m := runMarker{writers: map[slotOf]int{}, outputs: map[*Shape]*Output{}}
	m.collect(p.Root, p.Output)
	marked := map[*Selection]bool{}
	for _, f := range p.Fetches {
		for _, t := range f.targets() {
			m.count(t.Selection)
		}
	}
	for _, f := range p.Fetches {
		for _, t := range f.targets() {
			m.mark(t.Selection, marked)
		}
	}
}

// runMarker knows how many read into a slot, and the only output of a shape; nil if it has several.
type runMarker struct {
	writers map[slotOf]int
	outputs map[*Shape]*Output
}

type slotOf struct {
	shape *Shape
	slot  int
}

func (m runMarker) collect(shape *Shape, out *Output) {
	if _, ok := m.outputs[shape]; ok {
		m.outputs[shape] = nil
		return
	}
	m.outputs[shape] = out
	for i := range out.Fields {
		if f := &out.Fields[i]; f.Output != nil && f.Slot != TypeSlot && shape.Slots[f.Slot].Shape != nil {
			m.collect(shape.Slots[f.Slot].Shape, f.Output)
		}
	}
}

func (m runMarker) count(sel *Selection) {
	for i := range sel.Fields {
		f := &sel.Fields[i]
		m.writers[slotOf{sel.Shape, f.Slot}]++
		if f.Selection != nil {
			m.count(f.Selection)
		}
	}
}

func (m runMarker) mark(sel *Selection, marked map[*Selection]bool) {
	if marked[sel] {
		return
	}
	marked[sel] = true
	out := m.outputs[sel.Shape]
	for i := 0; i < len(sel.Fields); i++ {
		if below := sel.Fields[i].Selection; below != nil {
			m.mark(below, marked)
			continue
		}
		if out == nil {
			continue
		}
		if n := m.run(sel, out, i); n > 0 {
			i += n - 1
		}
	}
}

// run marks the run that begins with the field at an index, if there is one, and returns its length.
func (m runMarker) run(sel *Selection, out *Output, i int) (n int) {
	at := -1
	for o := range out.Fields {
		if out.Fields[o].Slot == sel.Fields[i].Slot {
			at = o
			break
		}
	}
	if at < 0 {
		return 0
	}
	for i+n < len(sel.Fields) && at+n < len(out.Fields) && m.same(sel, &sel.Fields[i+n], &out.Fields[at+n]) {
		n++
	}
	if n < 2 {
		return 0
	}
	slot := len(sel.Shape.Slots)
	sel.Shape.Slots = append(sel.Shape.Slots, Slot{})
	for k := range n {
		sel.Fields[i+k].RunSlot, sel.Fields[i+k].Leaf = slot, out.Fields[at+k].Leaf
	}
	sel.Fields[i].Run, out.Fields[at].Run, out.Fields[at].RunSlot = n, n, slot
	return n
}

// same reports whether a value stands in the response as it does in the answer, if it is of the right kind.
func (m runMarker) same(sel *Selection, f *SelectionField, o *OutputField) bool {
	return f.Slot == o.Slot && f.Slot != TypeSlot && f.Key == o.Key && f.Selection == nil && f.RunSlot == 0 && o.Run == 0 &&
		m.writers[slotOf{sel.Shape, f.Slot}] == 1 &&
		o.Types == nil && len(o.NonNull) == 1 && !o.Denied && o.Leaf != Composite && o.Leaf != LeafEnum
}
