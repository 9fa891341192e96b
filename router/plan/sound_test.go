package plan_test

import (
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// slotOf is a place of the merged response where something is written and read.
type slotOf struct{ shape, slot int }

// soundness checks that a plan's requests and outputs read only what those have brought that they wait for.
type soundness struct {
	plan *plan.Plan
	// writes are, for each fetch, what it writes, and before what has been written when it starts.
	writes, before []map[slotOf]bool
	wrong          []string
}

// unsound says what a plan reads before it can be there.
func unsound(p *plan.Plan) []string {
	s := &soundness{plan: p, writes: make([]map[slotOf]bool, len(p.Fetches)), before: make([]map[slotOf]bool, len(p.Fetches))}
	for i, f := range p.Fetches {
		s.writes[i], s.before[i] = map[slotOf]bool{}, map[slotOf]bool{}
		for _, d := range f.DependsOn {
			for _, all := range []map[slotOf]bool{s.before[d], s.writes[d]} {
				for at := range all {
					s.before[i][at] = true
				}
			}
		}
		s.fetch(f)
	}
	s.outputs()
	return s.wrong
}

func (s *soundness) fetch(f *plan.Fetch) {
	targets := []*plan.Target{f.Root}
	if f.Root == nil {
		targets = nil
		for _, e := range f.Entities {
			for _, t := range e.Targets {
				targets = append(targets, t)
				s.sends(f, e, t)
			}
		}
	}
	for _, t := range targets {
		s.follow(f, s.plan.Root, t.Path, "path")
		s.write(s.writes[f.ID], t.Selection)
		for _, c := range f.Contexts {
			s.context(f, t, c)
		}
	}
}

func (s *soundness) context(f *plan.Fetch, t *plan.Target, c plan.Context) {
	for _, src := range c.Sources {
		if src.Depth <= len(t.Path) {
			s.follow(f, s.follow(f, s.plan.Root, t.Path[:src.Depth], "path"), src.Path, "context "+c.Name)
		}
	}
}

// sends checks what the representations of a target are made of.
func (s *soundness) sends(f *plan.Fetch, e *plan.Entities, t *plan.Target) {
	shape := s.follow(f, s.plan.Root, t.Path, "path")
	for i, r := range e.Representations {
		if r.Types != nil || r.TypeName == "" {
			s.read(f, shape, plan.TypeSlot, "representation")
		}
		s.represent(f, shape, t.Representations[i], "representation")
	}
}

func (s *soundness) represent(f *plan.Fetch, shape *plan.Shape, fields []plan.RepresentationField, what string) {
	for i, r := range fields {
		if r.TypeName {
			if s.written(slotOf{shape.ID, plan.TypeSlot}) { // Else there is no object: the interface has no types there.
				s.read(f, shape, plan.TypeSlot, what+" __typename")
			}
			continue
		}
		if r.Types != nil {
			s.read(f, shape, plan.TypeSlot, what+" by types of "+r.Name)
		}
		s.read(f, shape, r.Slot, what+" "+r.Name)
		if r.Fields != nil {
			s.represent(f, shape.Slots[r.Slot].Shape, r.Fields, what+" "+r.Name)
		}
		if slices.ContainsFunc(fields[:i], func(o plan.RepresentationField) bool { return overlap(o, r) }) {
			s.wrong = append(s.wrong, fmt.Sprintf("fetch %d sends %s twice", f.ID, r.Name))
		}
	}
}

func overlap(a, b plan.RepresentationField) bool {
	return a.Name == b.Name && (a.Types == nil || b.Types == nil || a.Types.Intersects(b.Types))
}

// follow checks that a path can be followed, and returns where it ends: nil for a leaf.
func (s *soundness) follow(f *plan.Fetch, shape *plan.Shape, path []plan.Step, what string) *plan.Shape {
	for _, step := range path {
		if step.Types != nil {
			s.read(f, shape, plan.TypeSlot, what+" by types")
		}
		s.read(f, shape, step.Slot, what)
		shape = shape.Slots[step.Slot].Shape
	}
	return shape
}

func (s *soundness) read(f *plan.Fetch, shape *plan.Shape, slot int, what string) {
	if !s.before[f.ID][slotOf{shape.ID, slot}] {
		s.wrong = append(s.wrong, fmt.Sprintf("fetch %d reads slot %d (%s) of shape %d for its %s, which nothing it waits for has written",
			f.ID, slot, shape.Slots[slot].Name, shape.ID, what))
	}
}

func (s *soundness) write(into map[slotOf]bool, sel *plan.Selection) {
	if sel.Type != supergraph.NoObject {
		into[slotOf{sel.Shape.ID, plan.TypeSlot}] = true
	}
	for _, field := range sel.Fields {
		into[slotOf{sel.Shape.ID, field.Slot}] = true
		if field.Selection != nil {
			s.write(into, field.Selection)
		}
	}
}

// outputs checks that the parts of the answer are written only after what they are made of.
func (s *soundness) outputs() {
	first := map[slotOf]bool{{s.plan.Root.ID, plan.TypeSlot}: true}
	for i, f := range s.plan.Fetches {
		if !f.Deferred {
			s.add(first, i)
		}
	}
	s.output(first, s.plan.Root, s.plan.Output, "the first part")
	for n, d := range s.plan.Deferred {
		have := map[slotOf]bool{}
		for at := range first {
			have[at] = true
		}
		for _, f := range d.Fetches {
			s.add(have, f)
		}
		for up := d.Parent; up >= 0; up = s.plan.Deferred[up].Parent {
			for _, f := range s.plan.Deferred[up].Fetches {
				s.add(have, f)
			}
		}
		for _, i := range d.Increments {
			inc := s.plan.Increments[i]
			shape := s.plan.Root
			for _, step := range inc.Path {
				shape = shape.Slots[step.Slot].Shape
			}
			s.output(have, shape, inc.Output, fmt.Sprint("deferred part ", n))
		}
	}
}

func (s *soundness) written(at slotOf) bool {
	return slices.ContainsFunc(s.writes, func(all map[slotOf]bool) bool { return all[at] })
}

func (s *soundness) add(to map[slotOf]bool, fetch int) {
	for at := range s.writes[fetch] {
		to[at] = true
	}
}

func (s *soundness) output(have map[slotOf]bool, shape *plan.Shape, out *plan.Output, part string) {
	for _, f := range out.Fields {
		if f.Denied {
			continue
		}
		// Members of partial unions are asked of nobody: their slots may be others' of the same name.
		if at := (slotOf{shape.ID, f.Slot}); f.Types == nil && !have[at] && f.Slot != plan.TypeSlot && s.written(at) {
			s.wrong = append(s.wrong, fmt.Sprintf("%s holds %s, which nothing it waits for has written", part, f.Coordinate))
		}
		if out.Known && f.Types != nil && !have[slotOf{shape.ID, plan.TypeSlot}] {
			s.wrong = append(s.wrong, fmt.Sprintf("%s holds %s by types, which nothing it waits for has told", part, f.Coordinate))
		}
		if f.Output != nil && f.Slot != plan.TypeSlot {
			s.output(have, shape.Slots[f.Slot].Shape, f.Output, part)
		}
	}
}
