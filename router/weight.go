package router

import (
	"unsafe"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
)

// Weights are estimates of heap bytes: the sizes of the structs that there are many of, with what they refer to and the
// allocator's rounding. TestWeightsAreThoseOfTheHeap holds them against the heap.

// weighPlanned weighs an operation with its plan, though others may share that, and with its document, which the key
// keeps alive even when the cache of documents has dropped it.
func weighPlanned(_ planKey, p *planned) int {
	const perOperation = 4 << 10
	w := perOperation + 4*len(p.text) + weighFields(p.operation.Selections)
	for _, v := range p.operation.Variables {
		w += int(unsafe.Sizeof(v)) + len(v.Name) + len(v.Type) + len(v.Literal)
	}
	if p.cost != nil {
		w *= 2
	}
	return w + weighPlan(shapeKey{}, p.plan)
}

func weighFields(fields []*operation.Field) (w int) {
	for _, f := range fields {
		// The field, the list that it is in, and its node in the document.
		w += int(unsafe.Sizeof(*f)) + 16 + 8*len(f.Types) + 300 + 120*len(f.Arguments)
		w += weighFields(f.Selections)
	}
	return w
}

func weighPlan(key shapeKey, p *plan.Plan) int {
	const perPlan = 1 << 10
	w := perPlan + len(key.shape) + weighShape(p.Root) + weighOutput(p.Output)
	for _, f := range p.Fetches {
		w += int(unsafe.Sizeof(*f)) + len(f.Query) + cap(f.Envelope) + 40*len(f.Variables)
		for _, r := range f.Reasons {
			w += 16 + len(r)
		}
		if f.Root != nil {
			w += weighTarget(f.Root)
		}
		for _, e := range f.Entities {
			w += int(unsafe.Sizeof(*e)) + 64*len(e.Representations)
			for _, t := range e.Targets {
				w += weighTarget(t)
			}
		}
	}
	for _, d := range p.Deferred {
		w += int(unsafe.Sizeof(*d)) + 64*len(d.Path) + 16*len(d.Fetches)
	}
	for _, i := range p.Increments {
		w += int(unsafe.Sizeof(*i)) + 64*len(i.Path) + weighOutput(i.Output)
	}
	return w
}

func weighTarget(t *plan.Target) int {
	w := int(unsafe.Sizeof(*t)) + 48*len(t.Path) + weighSelection(t.Selection)
	for _, fields := range t.Representations {
		w += weighRepresentation(fields)
	}
	return w
}

func weighRepresentation(fields []plan.RepresentationField) (w int) {
	for i := range fields {
		w += 24 + int(unsafe.Sizeof(fields[i])) + weighRepresentation(fields[i].Fields)
	}
	return w
}

func weighSelection(s *plan.Selection) int {
	w := int(unsafe.Sizeof(*s)) + int(unsafe.Sizeof(plan.SelectionField{}))*cap(s.Fields)
	for i := range s.Fields {
		if below := s.Fields[i].Selection; below != nil {
			w += weighSelection(below)
		}
	}
	return w
}

func weighShape(s *plan.Shape) int {
	w := int(unsafe.Sizeof(*s)) + int(unsafe.Sizeof(plan.Slot{}))*cap(s.Slots)
	for i := range s.Slots {
		if below := s.Slots[i].Shape; below != nil {
			w += weighShape(below)
		}
	}
	return w
}

func weighOutput(o *plan.Output) int {
	w := int(unsafe.Sizeof(*o)) + int(unsafe.Sizeof(plan.OutputField{}))*cap(o.Fields)
	for i := range o.Fields {
		f := &o.Fields[i]
		w += cap(f.Encoded) + len(f.Coordinate) + 8*len(f.NonNull) + 16
		if f.Output != nil {
			w += weighOutput(f.Output)
		}
	}
	return w
}
