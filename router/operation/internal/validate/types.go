package validate

import "github.com/vektah/gqlparser/v2/ast"

// https://spec.graphql.org/draft/#sec-Fragment-Spread-Type-Existence, and the types of variables.
func knownTypeNames(d *document) {
	unknown := func(name string, position *ast.Position) {
		if d.api.Types[name] == nil {
			d.report(at(position), `Unknown type "%s".%s`, name, d.didYouMeanType(name))
		}
	}
	for _, def := range d.definitions {
		if def.fragment != nil {
			unknown(def.fragment.TypeCondition, def.fragment.Position)
		} else {
			for _, v := range def.operation.VariableDefinitions {
				unknown(v.Type.Name(), v.Position)
			}
		}
		for _, inline := range def.inlines {
			if inline.TypeCondition != "" {
				unknown(inline.TypeCondition, inline.Position)
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Fragments-on-Object-Interface-or-Union-Types
func fragmentsOnCompositeTypes(d *document) {
	for _, def := range d.definitions {
		if f := def.fragment; f != nil && f.Definition != nil && !f.Definition.IsCompositeType() {
			d.report(at(f.Position), `Fragment "%s" cannot condition on non composite type "%s".`,
				f.Name, f.TypeCondition)
		}
		for _, inline := range def.inlines {
			if typ := d.api.Types[inline.TypeCondition]; typ != nil && !typ.IsCompositeType() {
				d.report(at(inline.Position), `Fragment cannot condition on non composite type "%s".`,
					inline.TypeCondition)
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Variables-Are-Input-Types
func variablesAreInputTypes(d *document) {
	for _, op := range d.ast.Operations {
		for _, v := range op.VariableDefinitions {
			if v.Definition != nil && !v.Definition.IsInputType() {
				d.report(at(v.Position), `Variable "$%s" cannot be non-input type "%s".`, v.Variable, v.Type)
			}
		}
	}
}
