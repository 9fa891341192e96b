package validate

import "github.com/vektah/gqlparser/v2/ast"

// uses yields the uses of variables in an operation and in all fragments that it reaches.
func (d *document) uses(op *definition, yield func(*ast.Value)) {
	for _, v := range op.variables {
		yield(v)
	}
	for _, f := range d.reach(op, map[string]bool{}) {
		for _, v := range f.variables {
			yield(v)
		}
	}
}

func declared(op *ast.OperationDefinition) map[string]*ast.VariableDefinition {
	m := make(map[string]*ast.VariableDefinition, len(op.VariableDefinitions))
	for _, v := range op.VariableDefinitions {
		if m[v.Variable] == nil {
			m[v.Variable] = v
		}
	}
	return m
}

// https://spec.graphql.org/draft/#sec-All-Variable-Uses-Defined
func noUndefinedVariables(d *document) {
	for _, op := range d.operations {
		known := declared(op.operation)
		d.uses(op, func(v *ast.Value) {
			switch {
			case known[v.Raw] != nil:
			case op.operation.Name == "":
				d.report(at(v.Position, op.operation.Position), `Variable "$%s" is not defined.`, v.Raw)
			default:
				d.report(at(v.Position, op.operation.Position), `Variable "$%s" is not defined by operation "%s".`,
					v.Raw, op.operation.Name)
			}
		})
	}
}

// https://spec.graphql.org/draft/#sec-All-Variables-Used
func noUnusedVariables(d *document) {
	for _, op := range d.operations {
		used := map[string]bool{}
		d.uses(op, func(v *ast.Value) { used[v.Raw] = true })
		for _, v := range op.operation.VariableDefinitions {
			switch {
			case used[v.Variable]:
			case op.operation.Name == "":
				d.report(at(v.Position), `Variable "$%s" is never used.`, v.Variable)
			default:
				d.report(at(v.Position), `Variable "$%s" is never used in operation "%s".`,
					v.Variable, op.operation.Name)
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-All-Variable-Usages-Are-Allowed
func variablesInAllowedPosition(d *document) {
	for _, op := range d.operations {
		known := declared(op.operation)
		d.uses(op, func(v *ast.Value) {
			def := known[v.Raw]
			if def == nil || def.Definition == nil || v.ExpectedType == nil || allowed(def, v) {
				return
			}
			d.report(at(def.Position, v.Position), `Variable "$%s" of type "%s" used in position expecting type "%s".`,
				v.Raw, def.Type, v.ExpectedType)
		})
	}
}

// allowed is IsVariableUsageAllowed: a nullable variable may stand where null is forbidden if it has a default
// or the place has one.
func allowed(def *ast.VariableDefinition, use *ast.Value) bool {
	place := use.ExpectedType
	if place.NonNull && !def.Type.NonNull {
		hasDefault := def.DefaultValue != nil && def.DefaultValue.Kind != ast.NullValue
		if !hasDefault && !use.ExpectedTypeHasDefault {
			return false
		}
		nullable := *place
		nullable.NonNull = false
		place = &nullable
	}
	return compatible(def.Type, place)
}

// compatible is AreTypesCompatible.
func compatible(variable, place *ast.Type) bool {
	if place.NonNull && !variable.NonNull {
		return false
	}
	if place.Elem != nil || variable.Elem != nil {
		return place.Elem != nil && variable.Elem != nil && compatible(variable.Elem, place.Elem)
	}
	return variable.NamedType == place.NamedType
}

// oneOfVariables checks that a variable given for the field of a OneOf input object can't be null.
func oneOfVariables(d *document) {
	for _, op := range d.operations {
		known := declared(op.operation)
		check := func(def *definition) {
			for _, object := range def.objects {
				if !isOneOf(object.Definition) {
					continue
				}
				for _, c := range object.Children {
					if v := known[c.Value.Raw]; c.Value.Kind == ast.Variable && v != nil && !v.Type.NonNull {
						d.report(at(v.Position, c.Value.Position), `Variable "$%s" is of type "%s" but must be `+
							`non-nullable to be used for OneOf Input Object "%s".`,
							v.Variable, v.Type, object.Definition.Name)
					}
				}
			}
		}
		check(op)
		for _, f := range d.reach(op, map[string]bool{}) {
			check(f)
		}
	}
}

func isOneOf(t *ast.Definition) bool {
	return t != nil && t.Kind == ast.InputObject && t.Directives.ForName("oneOf") != nil
}
