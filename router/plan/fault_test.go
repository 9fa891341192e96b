package plan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// fault is what goes wrong with a field.
type fault uint8

const (
	none fault = iota
	// fails is null with an error; lies is null, whatever the type promises, without any; misshapen is a value that the
	// type does not have.
	fails
	lies
	misshapen
)

// faults decide what goes wrong, the same way wherever it is asked. Nil is nothing. The numbers are how often, of 1000.
type faults struct {
	Seed string
	// Failing fields are null with an error, lying ones without, and misshapen ones have a value of another kind.
	Failing, Lying, Misshapen int
	// Gone is how often an entity is gone from a subgraph, and Renamed how often an object tells a type that can't be.
	Gone, Renamed int
	// Refused is how often a subgraph answers a request in no useful way, and Resized how often it answers another
	// number of entities.
	Refused, Resized int
	// Harmless lets only fields fail of which nothing else depends: nullable leaves that no field set has.
	Harmless bool
}

// silent reports whether what goes wrong may leave null without an error.
func (f *faults) silent() bool { return f.Gone > 0 || f.Lying > 0 }

// odd reports whether representations may hold anything, as what subgraphs answer does.
func (f *faults) odd() bool { return f != nil && (f.Misshapen > 0 || f.Renamed > 0) }

func (f *faults) of(w *world, of thing, name string) fault {
	if f == nil || f.Harmless && !w.harmless(of, name) {
		return none
	}
	switch h := int(hashOf(f.Seed, of.typ, of.id, name) % 1000); {
	case h < f.Failing:
		return fails
	case h < f.Failing+f.Lying:
		return lies
	case h < f.Failing+f.Lying+f.Misshapen:
		return misshapen
	}
	return none
}

func (f *faults) isGone(graph int, of thing) bool {
	return f != nil && f.happens(f.Gone, "", graph, of.typ, of.id)
}

func (f *faults) isRenamed(graph int, of thing) bool {
	return f != nil && f.happens(f.Renamed, "name", graph, of.typ, of.id)
}

func (f *faults) isResized(graph int, representations string) bool {
	return f != nil && f.happens(f.Resized, "size", graph, representations)
}

func (f *faults) refuses(graph int, query string) bool {
	return f != nil && f.happens(f.Refused, "", graph, query)
}

func (f *faults) happens(often int, what string, graph int, where ...string) bool {
	return int(hashOf(append([]string{f.Seed, what, string(rune(graph))}, where...)...)%1000) < often
}

// refusal is an answer that is of no use.
func refusal(query string) (*transport.Response, error) {
	bodies := []string{"<html>", "", "{", "null", "[]", `{"data":null}`, `{"errors":[]}`, `{"errors":[{"message":"it refuses"}]}`, `{"data":7}`}
	switch h := hashOf(query); h % 3 {
	case 0:
		return nil, errors.New("it is down")
	case 1:
		return &transport.Response{Status: http.StatusInternalServerError, Body: []byte(bodies[h/3%uint64(len(bodies))])}, nil
	default:
		return &transport.Response{Status: http.StatusOK, Body: []byte(bodies[h/3%uint64(len(bodies))])}, nil
	}
}

// odd is JSON that no value of a type can be; empty if any can.
func odd(t *ast.Type, def *ast.Definition, h uint64) string {
	pick := func(all ...string) string { return all[h%uint64(len(all))] }
	switch {
	case t.Elem != nil:
		return pick(`{}`, `7`, `"odd"`, `true`)
	case def.IsCompositeType():
		return pick(`[]`, `7`, `"odd"`, `false`, `[[{}]]`)
	case def.Kind == ast.Enum:
		return pick(`"ODD"`, `7`, `{}`, `[]`)
	case def.Name == "Int":
		return pick(`"odd"`, `1.5`, `3000000000`, `{"odd":1}`, `[1]`, `true`)
	case def.Name == "Float":
		return pick(`"odd"`, `{}`, `[1.5]`, `true`)
	case def.Name == "Boolean":
		return pick(`"true"`, `{}`, `[true]`)
	case def.Name == "String", def.Name == "ID":
		return pick(`{}`, `["odd"]`, `{"odd":"}"}`)
	}
	return ""
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
	if o.failed && len(want.errors) > 0 {
		return nil // Without a deferred fragment, the null would have gone on.
	}
	var all, part any
	_ = json.Unmarshal(want.b, &all)
	_ = json.Unmarshal(got.Data, &part)
	if where := beyond(all, part, "data", len(p.Deferred) > 0); where != "" {
		return o.differ("wrong partial data", p, where+"\n"+cmp.Diff(pretty(want.b), pretty(got.Data)))
	}
	if where := nowhere(part, got); where != "" && len(p.Deferred) == 0 && !o.blind() {
		return o.differ("error path", p, where)
	}
	if !faults.silent() && len(got.Errors) == 0 && canonical(got.Data) != canonical(want.b) {
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

// nowhere finds an error whose path does not lead through the answer.
func nowhere(data any, got *answered) string {
	for _, e := range got.Errors {
		at := data
		for _, step := range e.Path {
			if at == nil {
				break
			}
			switch in := at.(type) {
			case map[string]any:
				key, _ := step.(string)
				below, ok := in[key]
				if !ok {
					return fmt.Sprintf("%s at %v: there is no %v", e.Message, e.Path, step)
				}
				at = below
			case []any:
				i, ok := step.(float64)
				if !ok || int(i) >= len(in) {
					return fmt.Sprintf("%s at %v: there is no %v", e.Message, e.Path, step)
				}
				at = in[int(i)]
			default:
				return fmt.Sprintf("%s at %v: %v is within a leaf", e.Message, e.Path, step)
			}
		}
	}
	return ""
}

// errorPaths are the paths of errors, sorted, each once.
func errorPaths(errs []string) []string {
	var paths []string
	for _, e := range errs {
		var parsed struct{ Path json.RawMessage }
		_ = json.Unmarshal([]byte(e), &parsed)
		paths = append(paths, string(parsed.Path))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
