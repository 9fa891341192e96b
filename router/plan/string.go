package plan

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// String prints the plan in the notation that federation routers have in common.
func (p *Plan) String() string {
	w := &writer{plan: p}
	w.open("QueryPlan {")
	switch {
	case len(p.Deferred) > 0:
		w.deferred()
	case len(p.Fetches) > 0:
		w.stages(p.Fetches)
	}
	w.close("}")
	return w.String()
}

// writer prints indented blocks.
type writer struct {
	strings.Builder
	plan   *Plan
	indent int
}

func (w *writer) line(s string) {
	w.WriteString(strings.Repeat("  ", w.indent) + s + "\n")
}

func (w *writer) open(s string) {
	w.line(s)
	w.indent++
}

func (w *writer) close(s string) {
	w.indent--
	w.line(s)
}

// stages prints a set of fetches: what is not connected side by side, else what waits for nothing in the set
// first, then the rest.
func (w *writer) stages(set []*Fetch) {
	if len(set) == 1 {
		w.fetch(set[0])
		return
	}
	if parts := components(set); len(parts) > 1 {
		w.open("Parallel {")
		for _, part := range parts {
			w.stages(part)
		}
		w.close("},")
		return
	}
	w.open("Sequence {")
	for len(set) > 0 && (len(components(set)) == 1) {
		now, rest := sources(set)
		w.stages(now)
		set = rest
	}
	if len(set) > 0 {
		w.stages(set)
	}
	w.close("},")
}

// sources splits off the fetches that wait for none of the set.
func sources(set []*Fetch) (now, rest []*Fetch) {
	for _, f := range set {
		waits := slices.ContainsFunc(set, func(o *Fetch) bool { return slices.Contains(f.DependsOn, o.ID) })
		if waits {
			rest = append(rest, f)
		} else {
			now = append(now, f)
		}
	}
	return now, rest
}

// components splits a set into parts that don't wait for each other.
func components(set []*Fetch) [][]*Fetch {
	var parts [][]*Fetch
	for _, f := range set {
		merged := []*Fetch{f}
		rest := parts[:0:0]
		for _, part := range parts {
			touches := slices.ContainsFunc(part, func(o *Fetch) bool {
				return slices.Contains(f.DependsOn, o.ID) || slices.Contains(o.DependsOn, f.ID)
			})
			if touches {
				merged = append(slices.Clone(part), merged...)
			} else {
				rest = append(rest, part)
			}
		}
		parts = append(rest, merged)
	}
	slices.SortFunc(parts, func(a, b []*Fetch) int { return a[0].ID - b[0].ID })
	return parts
}

// fetch prints one request: root fields, or one Flatten for each place that sends entities.
func (w *writer) fetch(f *Fetch) {
	service := "introspection"
	if f.Subgraph >= 0 {
		service = w.plan.Supergraph.Subgraphs[f.Subgraph].Name
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: "fetch", Input: f.Query})
	if err != nil {
		panic("plan: the text of a fetch does not parse: " + err.Error() + ": " + f.Query)
	}
	set := doc.Operations[0].SelectionSet
	if f.Root != nil {
		w.rootFetch(f, service, set, doc.Fragments)
		return
	}
	many := len(f.Entities) > 1
	if many {
		w.open("BatchFetch(service: \"" + service + "\"" + w.id(f) + ") {")
	}
	for i, e := range f.Entities {
		w.entities(f, service, e, set[i].(*ast.Field).SelectionSet, doc.Fragments, many)
	}
	if many {
		w.definitions(doc.Fragments)
		w.close("},")
	}
}

func (w *writer) rootFetch(f *Fetch, service string, set ast.SelectionSet, fragments ast.FragmentDefinitionList) {
	path := w.path(f.Root.Path)
	if path != "" {
		w.open("Flatten(path: \"" + path + "\") {")
	}
	w.open("Fetch(service: \"" + service + "\"" + w.id(f) + ") {")
	w.open([...]string{"{", "mutation {", "subscription {"}[f.Kind])
	w.selections(set)
	w.close("}")
	w.definitions(fragments)
	w.close("},")
	if path != "" {
		w.close("},")
	}
}

func (w *writer) entities(f *Fetch, service string, e *Entities, set ast.SelectionSet, fragments ast.FragmentDefinitionList, many bool) {
	paths := make([]string, len(e.Targets))
	for i, t := range e.Targets {
		paths[i] = "\"" + w.path(t.Path) + "\""
	}
	if len(paths) == 1 {
		w.open("Flatten(path: " + paths[0] + ") {")
	} else {
		w.open("Flatten(paths: [" + strings.Join(paths, ", ") + "]) {")
	}
	if !many {
		w.open("Fetch(service: \"" + service + "\"" + w.id(f) + ") {")
	}
	w.open("{")
	for i, r := range e.Representations {
		name := r.TypeName
		if name == "" {
			name = w.types(r.Types)
		}
		w.open("... on " + name + " {")
		w.line("__typename")
		w.represented(e.Targets[0].Representations[i])
		w.close("}")
	}
	w.close("} =>")
	w.open("{")
	w.selections(set)
	w.close("}")
	if !many {
		w.definitions(fragments)
		w.close("},")
	}
	w.close("},")
}

func (w *writer) definitions(fragments ast.FragmentDefinitionList) {
	for _, f := range fragments {
		w.block("fragment "+f.Name+" on "+f.TypeCondition, f.SelectionSet)
	}
}

func (w *writer) types(types supergraph.TypeSet) string {
	var names []string
	for id := range types.All() {
		names = append(names, w.plan.Supergraph.Objects[id])
	}
	return strings.Join(names, " | ")
}

func (w *writer) represented(fields []RepresentationField) {
	for _, f := range fields {
		name := f.Name
		if f.Types != nil {
			name += " # " + w.types(f.Types)
		}
		if f.Fields == nil {
			w.line(name)
			continue
		}
		w.open(name + " {")
		w.represented(f.Fields)
		w.close("}")
	}
}

func (w *writer) selections(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			text := sel.Name
			if sel.Alias != "" && sel.Alias != sel.Name {
				text = sel.Alias + ": " + sel.Name
			}
			var args []string
			for _, a := range sel.Arguments {
				args = append(args, a.Name+": "+a.Value.String())
			}
			if len(args) > 0 {
				text += "(" + strings.Join(args, ", ") + ")"
			}
			w.block(text, sel.SelectionSet)
		case *ast.InlineFragment:
			w.block("... on "+sel.TypeCondition, sel.SelectionSet)
		case *ast.FragmentSpread:
			w.line("..." + sel.Name)
		}
	}
}

func (w *writer) block(head string, set ast.SelectionSet) {
	if len(set) == 0 {
		w.line(head)
		return
	}
	w.open(head + " {")
	w.selections(set)
	w.close("}")
}

// path names the way to the objects of a target, with @ for each level of lists.
func (w *writer) path(steps []Step) string {
	var names []string
	shape := w.plan.Root
	for _, step := range steps {
		slot := shape.Slots[step.Slot]
		name := slot.ResponseKey
		if name == "" {
			name = "(" + slot.Name + ")"
		}
		names = append(names, name)
		for range slot.Lists {
			names = append(names, "@")
		}
		shape = slot.Shape
	}
	return strings.Join(names, ".")
}
