package validate

import "github.com/vektah/gqlparser/v2/ast"

// names finds what is named twice in one scope.
type names map[string]*ast.Position

// first reports whether the name is new, and where it was before if not.
func (n names) first(name string, here *ast.Position) (*ast.Position, bool) {
	if before, ok := n[name]; ok {
		return before, false
	}
	n[name] = here
	return here, true
}

// https://spec.graphql.org/draft/#sec-Operation-Name-Uniqueness
func uniqueOperationNames(d *document) {
	seen := names{}
	for _, op := range d.ast.Operations {
		if op.Name == "" {
			continue
		}
		if before, ok := seen.first(op.Name, op.Position); !ok {
			d.report(at(op.Position, before), `There can be only one operation named "%s".`, op.Name)
		}
	}
}

// https://spec.graphql.org/draft/#sec-Fragment-Name-Uniqueness
func uniqueFragmentNames(d *document) {
	seen := names{}
	for _, f := range d.ast.Fragments {
		if before, ok := seen.first(f.Name, f.Position); !ok {
			d.report(at(f.Position, before), `There can be only one fragment named "%s".`, f.Name)
		}
	}
}

// https://spec.graphql.org/draft/#sec-Variable-Uniqueness
func uniqueVariableNames(d *document) {
	for _, op := range d.ast.Operations {
		seen := names{}
		for _, v := range op.VariableDefinitions {
			if before, ok := seen.first(v.Variable, v.Position); !ok {
				d.report(at(v.Position, before), `There can be only one variable named "$%s".`, v.Variable)
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
			if before, ok := seen.first(a.Name, a.Position); !ok {
				d.report(at(a.Position, before), `There can be only one argument named "%s".`, a.Name)
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
				if before, ok := seen.first(c.Name, c.Position); !ok {
					d.report(at(c.Position, before), `There can be only one input field named "%s".`, c.Name)
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
				if before, ok := seen.first(directive.Name, directive.Position); !ok {
					d.report(at(directive.Position, before),
						`The directive "@%s" can only be used once at this location.`, directive.Name)
				}
			}
		}
	}
}
