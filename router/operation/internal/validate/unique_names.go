package validate

import "github.com/vektah/gqlparser/v2/ast"

// names finds what is named twice in one scope. It holds nil for a name that was reported.
type names map[string]*ast.Position

// repeated returns the first place of a name if this is the second, and nil otherwise: one error a name is enough.
func (n names) repeated(name string, here *ast.Position) *ast.Position {
	before, ok := n[name]
	if !ok {
		n[name] = here
		return nil
	}
	n[name] = nil
	return before
}

// https://spec.graphql.org/draft/#sec-Operation-Name-Uniqueness
func uniqueOperationNames(d *document) {
	seen := names{}
	for _, op := range d.ast.Operations {
		if op.Name == "" {
			continue
		}
		if before := seen.repeated(op.Name, op.Position); before != nil {
			d.report(at(before, op.Position), `There can be only one operation named "%s".`, op.Name)
		}
	}
}

// https://spec.graphql.org/draft/#sec-Fragment-Name-Uniqueness
func uniqueFragmentNames(d *document) {
	seen := names{}
	for _, f := range d.ast.Fragments {
		if before := seen.repeated(f.Name, f.Position); before != nil {
			d.report(at(before, f.Position), `There can be only one fragment named "%s".`, f.Name)
		}
	}
}

// https://spec.graphql.org/draft/#sec-Variable-Uniqueness
func uniqueVariableNames(d *document) {
	for _, op := range d.ast.Operations {
		seen := names{}
		for _, v := range op.VariableDefinitions {
			if before := seen.repeated(v.Variable, v.Position); before != nil {
				d.report(at(before, v.Position), `There can be only one variable named "$%s".`, v.Variable)
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Argument-Uniqueness
func uniqueArgumentNames(d *document) {
	check := func(list ast.ArgumentList) {
		if len(list) < 2 {
			return
		}
		seen := names{}
		for _, a := range list {
			if before := seen.repeated(a.Name, a.Position); before != nil {
				d.report(at(before, a.Position), `There can be only one argument named "%s".`, a.Name)
			}
		}
	}
	for _, def := range d.definitions {
		for _, f := range def.fields {
			check(f.Arguments)
		}
		for _, on := range def.directives {
			for _, directive := range on.list {
				check(directive.Arguments)
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Input-Object-Field-Uniqueness
func uniqueInputFieldNames(d *document) {
	for _, def := range d.definitions {
		for _, object := range def.objects {
			seen := names{}
			for _, c := range object.Children {
				if before := seen.repeated(c.Name, c.Position); before != nil {
					d.report(at(before, c.Position), `There can be only one input field named "%s".`, c.Name)
				}
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Directives-Are-Unique-per-Location
func uniqueDirectivesPerLocation(d *document) {
	for _, def := range d.definitions {
		for _, on := range def.directives {
			seen := names{}
			for _, directive := range on.list {
				if directive.Definition == nil || directive.Definition.IsRepeatable {
					continue
				}
				if before := seen.repeated(directive.Name, directive.Position); before != nil {
					d.report(at(before, directive.Position),
						`The directive "@%s" can only be used once at this location.`, directive.Name)
				}
			}
		}
	}
}
