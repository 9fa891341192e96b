package validate

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// https://spec.graphql.org/draft/#sec-Argument-Names
func knownArgumentNames(d *document) {
	check := func(given ast.ArgumentList, defs ast.ArgumentDefinitionList, owner string) {
		for _, a := range given {
			if defs.ForName(a.Name) != nil {
				continue
			}
			var candidates []string
			for _, def := range defs {
				candidates = append(candidates, def.Name)
			}
			d.report(at(a.Position), `Unknown argument "%s" on %s.%s`,
				a.Name, owner, d.didYouMean("", a.Name, candidates))
		}
	}
	for _, def := range d.definitions {
		for _, f := range def.fields {
			if f.Definition != nil && len(f.Arguments) > 0 {
				check(f.Arguments, f.Definition.Arguments, fmt.Sprintf(`field "%s.%s"`, f.ObjectDefinition.Name, f.Name))
			}
		}
		for _, on := range def.directives {
			for _, directive := range on.list {
				if directive.Definition != nil && len(directive.Arguments) > 0 {
					check(directive.Arguments, directive.Definition.Arguments,
						fmt.Sprintf(`directive "@%s"`, directive.Name))
				}
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Required-Arguments
func providedRequiredArguments(d *document) {
	check := func(given ast.ArgumentList, defs ast.ArgumentDefinitionList, what, name string, here *ast.Position) {
		for _, def := range defs {
			if def.Type.NonNull && def.DefaultValue == nil && given.ForName(def.Name) == nil {
				d.report(at(here), `%s "%s" argument "%s" of type "%s" is required, but it was not provided.`,
					what, name, def.Name, def.Type)
			}
		}
	}
	for _, def := range d.definitions {
		for _, f := range def.fields {
			if f.Definition != nil {
				check(f.Arguments, f.Definition.Arguments, "Field", f.Name, f.Position)
			}
		}
		for _, on := range def.directives {
			for _, directive := range on.list {
				if directive.Definition != nil {
					check(directive.Arguments, directive.Definition.Arguments,
						"Directive", "@"+directive.Name, directive.Position)
				}
			}
		}
	}
}
