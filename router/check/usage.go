package check

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// unseen are the codes of breaking changes that leave operations valid: what a field returns, what a variable of an
// input type may hold, and who may see a field.
var unseen = []Code{
	FieldChangedKind, FieldRemoved, TypeChangedKind, ValueRemovedFromEnum, RequiredInputFieldAdded, BecameOneOf,
	InputFieldBecameRequired, RequirementTightened,
}

// unseenByValidation are those breaking changes by the coordinate that an operation that they break uses.
func unseenByValidation(changes []Change) map[string][]Change {
	at := map[string][]Change{}
	for _, c := range changes {
		if c.Severity != Breaking || !slices.Contains(unseen, c.Code) {
			continue
		}
		coordinate := c.Coordinate
		if c.Code == RequiredInputFieldAdded {
			// What is new has no users; its type has.
			coordinate, _, _ = strings.Cut(coordinate, ".")
		}
		at[coordinate] = append(at[coordinate], c)
		if c.Code == TypeChangedKind {
			at[leaf+coordinate] = append(at[leaf+coordinate], c)
		}
	}
	return at
}

// used lists what a valid operation uses and validation does not compare: the output fields that it selects with their
// leaf types, and all that variables of input types may hold. Each coordinate stands once, in the order of the text.
func used(api *ast.Schema, text string) []string {
	doc, err := parseQuery("", text)
	if err != nil {
		return nil
	}
	u := &usage{api: api, seen: map[string]bool{}}
	roots := map[ast.Operation]*ast.Definition{ast.Query: api.Query, ast.Mutation: api.Mutation, ast.Subscription: api.Subscription}
	for _, op := range doc.Operations {
		for _, v := range op.VariableDefinitions {
			u.variable(v.Type.Name())
		}
		u.selections(roots[op.Operation], op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		u.selections(api.Types[f.TypeCondition], f.SelectionSet)
	}
	return u.list
}

// leaf marks a leaf type that an operation gets values of: an enum that it gets may lose a value, one that it sends not.
const leaf = "leaf "

// usage collects coordinates.
type usage struct {
	api  *ast.Schema
	seen map[string]bool
	list []string
}

// note adds a coordinate and tells whether it is new.
func (u *usage) note(coordinate string) bool {
	if u.seen[coordinate] {
		return false
	}
	u.seen[coordinate] = true
	u.list = append(u.list, coordinate)
	return true
}

func (u *usage) selections(parent *ast.Definition, set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.InlineFragment:
			on := parent
			if s.TypeCondition != "" {
				on = u.api.Types[s.TypeCondition]
			}
			u.selections(on, s.SelectionSet)
		case *ast.Field:
			// Introspection's own fields never change.
			def := parent.Fields.ForName(s.Name)
			if def == nil || strings.HasPrefix(s.Name, "__") {
				continue
			}
			u.note(parent.Name + "." + s.Name)
			returns := u.api.Types[def.Type.Name()]
			if returns.IsLeafType() {
				u.note(leaf + returns.Name)
			}
			u.selections(returns, s.SelectionSet)
		}
	}
}

// variable notes an input type with all that it holds: nobody knows which of it clients send.
func (u *usage) variable(name string) {
	def := u.api.Types[name]
	if def.BuiltIn || !u.note(name) {
		return
	}
	for _, v := range def.EnumValues {
		u.note(name + "." + v.Name)
	}
	for _, f := range def.Fields {
		u.note(name + "." + f.Name)
		u.variable(f.Type.Name())
	}
}
