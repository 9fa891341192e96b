package plan_test

import (
	"encoding/json"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// fault is what goes wrong with a field.
type fault uint8

const (
	none fault = iota
	// fails is null with an error; lies is null, whatever the type promises, without any.
	fails
	lies
)

// faults decide what goes wrong, the same way wherever it is asked. Nil is nothing.
type faults struct {
	seed string
	// fields, gone and refused are how often, of 1000, a field fails, a field lies, an entity is gone from a
	// subgraph, and a subgraph answers no request.
	failing, lying, gone, refused int
	// harmless lets only fields fail of which nothing else depends: nullable leaves that no field set has.
	harmless bool
}

func (f *faults) of(w *world, of thing, name string) fault {
	if f == nil || f.harmless && !w.harmless(of, name) {
		return none
	}
	switch h := int(hashOf(f.seed, of.typ, of.id, name) % 1000); {
	case h < f.failing:
		return fails
	case h < f.failing+f.lying:
		return lies
	}
	return none
}

func (f *faults) isGone(graph int, of thing) bool {
	return f != nil && int(hashOf(f.seed, of.typ, of.id, string(rune(graph)))%1000) < f.gone
}

func (f *faults) refuses(graph int, query string) bool {
	return f != nil && int(hashOf(f.seed, query, string(rune(graph)))%1000) < f.refused
}

// harmless reports whether a field is nullable everywhere, and part of no field set.
func (w *world) harmless(of thing, name string) bool {
	f := w.sg.Type(of.typ).Field(name)
	if f.Type.NonNull || w.strict(f).NonNull {
		return false
	}
	for _, t := range w.sg.Types {
		for _, g := range t.Fields {
			for _, s := range g.In {
				if s != nil && (w.mentions(s.Requires, of, name) || s.Context != nil) {
					return false
				}
			}
		}
	}
	return !w.keys[of.typ+"."+name]
}

func (w *world) mentions(set *supergraph.FieldSet, of thing, name string) bool {
	found := false
	var walk func(fields []*supergraph.FieldSelection)
	walk = func(fields []*supergraph.FieldSelection) {
		for _, f := range fields {
			found = found || f.Name == name && f.Types.Has(w.sg.Object(of.typ))
			walk(f.Fields)
		}
	}
	if set != nil {
		walk(set.Fields)
	}
	return found
}

// partial says what is wrong with an answer to which faults have happened: whatever is not null must be what it
// is without them, and something must be said of what is.
func (o *oracle) partial(p *plan.Plan, r request, event string, got *answered) *difference {
	faults := o.all.faults
	o.all.faults = nil
	want := o.all.answer(r.query, decoded(r.variables), event)
	o.all.faults = faults
	var all, part any
	_ = json.Unmarshal(want.b, &all)
	_ = json.Unmarshal(got.Data, &part)
	if where := beyond(all, part, "data", len(p.Deferred) > 0); where != "" {
		return o.differ("wrong partial data", p, where+"\n"+cmp.Diff(pretty(want.b), pretty(got.Data)))
	}
	if faults.gone == 0 && faults.lying == 0 && len(got.Errors) == 0 && canonical(got.Data) != canonical(want.b) {
		return o.differ("silent null", p, cmp.Diff(pretty(want.b), pretty(got.Data)))
	}
	return nil
}

// beyond finds where a partial answer has what the whole one has not. A deferred fragment that failed leaves out its
// fields.
func beyond(all, part any, path string, deferred bool) string {
	switch part := part.(type) {
	case nil:
		return ""
	case map[string]any:
		whole, _ := all.(map[string]any)
		if len(whole) != len(part) && !(deferred && len(part) < len(whole)) {
			return path
		}
		for key, v := range part {
			if where := beyond(whole[key], v, path+"."+key, deferred); where != "" {
				return where
			}
		}
		return ""
	case []any:
		whole, _ := all.([]any)
		if len(whole) != len(part) {
			return path
		}
		for i, v := range part {
			if where := beyond(whole[i], v, fmt.Sprint(path, ".", i), deferred); where != "" {
				return where
			}
		}
		return ""
	}
	if part != all {
		return path
	}
	return ""
}
