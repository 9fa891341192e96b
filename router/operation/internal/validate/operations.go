package validate

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// https://spec.graphql.org/draft/#sec-Lone-Anonymous-Operation
func loneAnonymousOperation(d *document) {
	if len(d.ast.Operations) < 2 {
		return
	}
	for _, op := range d.ast.Operations {
		if op.Name == "" {
			d.report(at(op.Position), "This anonymous operation must be the only defined operation.")
		}
	}
}

// https://spec.graphql.org/draft/#sec-Operation-Type-Existence
func knownOperationTypes(d *document) {
	for _, op := range d.ast.Operations {
		if root, _ := operationType(d.api, op.Operation); root == nil {
			d.report(at(op.Position), `The schema does not support operations of type "%s".`, op.Operation)
		}
	}
}

// https://spec.graphql.org/draft/#sec-Single-Root-Field: one response key, no introspection, and nothing that
// could be skipped, also through fragments.
func singleFieldSubscriptions(d *document) {
	for _, def := range d.operations {
		op := def.operation
		if op.Operation != ast.Subscription {
			continue
		}
		name := "Anonymous Subscription"
		if op.Name != "" {
			name = `Subscription "` + op.Name + `"`
		}
		r := rootFields{document: d, visited: map[string]bool{}}
		r.collect(op.SelectionSet)
		for _, f := range r.fields {
			if f.Alias != r.fields[0].Alias {
				d.report(at(f.Position), "%s must select only one top level field.", name)
				break
			}
		}
		for _, f := range r.fields {
			if strings.HasPrefix(f.Name, "__") {
				d.report(at(f.Position), "%s must not select an introspection top level field.", name)
			}
		}
		for _, directive := range r.conditions {
			d.report(at(directive.Position),
				"%s must not use `@skip` or `@include` directives in the top level selection.", name)
		}
	}
}

// rootFields are the fields of an operation's selection set, through fragments.
type rootFields struct {
	document   *document
	visited    map[string]bool
	fields     []*ast.Field
	conditions []*ast.Directive
}

func (r *rootFields) collect(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			r.directives(s.Directives)
			r.fields = append(r.fields, s)
		case *ast.InlineFragment:
			r.directives(s.Directives)
			r.collect(s.SelectionSet)
		case *ast.FragmentSpread:
			r.directives(s.Directives)
			if def := r.document.fragments[s.Name]; def != nil && !r.visited[s.Name] {
				r.visited[s.Name] = true
				r.collect(def.fragment.SelectionSet)
			}
		}
	}
}

func (r *rootFields) directives(list ast.DirectiveList) {
	for _, d := range list {
		if d.Name == "skip" || d.Name == "include" {
			r.conditions = append(r.conditions, d)
		}
	}
}
