package operation

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// Selected is one operation of a document, ready to be normalised. It is immutable and safe for concurrent use.
type Selected struct {
	Kind Kind
	// Name is the operation's name; empty for an anonymous one.
	Name string
	// Variables are the declared variables, in order. Coerce yields a value for each. The type of one that has a
	// default and is used where null is forbidden is non-null, since the default is filled in before any
	// subgraph sees it.
	Variables []Variable
	// Conditions are the indexes of the variables that @skip and @include use, ascending: all else being equal,
	// requests that agree on them have one normal form.
	Conditions []int
	// Defers says that there is a @defer in the operation: a client that takes its answer in parts gets it so.
	Defers bool
	// deferConditions are the indexes of the variables that @defer uses, ascending.
	deferConditions []int
	// Requirements are the distinct requirements of the fields selected, in order of first use.
	Requirements []*supergraph.Requirement

	supergraph   *supergraph.Supergraph
	definition   *ast.OperationDefinition
	variables    map[string]int
	conditions   map[string]int
	requirements map[*supergraph.Requirement]int
	deferIf      map[string]int
	// types and defaults are those of Variables; a default is nil where there is none.
	types    []*ast.Type
	defaults [][]byte
	// fields is Limits.Fields.
	fields          int
	hideSuggestions bool
}

func newSelected(sg *supergraph.Supergraph, def *ast.OperationDefinition, limits Limits) *Selected {
	s := &Selected{
		Kind:         kinds[def.Operation],
		Name:         def.Name,
		supergraph:   sg,
		definition:   def,
		variables:    map[string]int{},
		conditions:   map[string]int{},
		requirements: map[*supergraph.Requirement]int{},
		deferIf:      map[string]int{},
		fields:       bound(limits.Fields, defaultFields),

		hideSuggestions: limits.HideSuggestions,
	}
	for i, v := range def.VariableDefinitions {
		s.variables[v.Variable] = i
	}
	used := survey{
		selected: s, conditions: map[string]bool{}, deferIf: map[string]bool{}, nonNull: map[string]bool{},
		fragments: map[*ast.FragmentDefinition]bool{}, seen: map[coordinate]bool{},
	}
	used.selections(def.SelectionSet)
	for i, v := range def.VariableDefinitions {
		s.declare(v, used.nonNull[v.Variable])
		if used.conditions[v.Variable] {
			s.conditions[v.Variable] = len(s.Conditions)
			s.Conditions = append(s.Conditions, i)
		}
		if used.deferIf[v.Variable] {
			s.deferIf[v.Variable] = len(s.deferConditions)
			s.deferConditions = append(s.deferConditions, i)
		}
	}
	return s
}

// declare adds a variable; strict says that it is used where null is forbidden.
func (s *Selected) declare(v *ast.VariableDefinition, strict bool) {
	typ := *v.Type
	var literal []byte
	if v.DefaultValue != nil {
		literal = s.constant(v.DefaultValue, v.Type)
		typ.NonNull = typ.NonNull || strict && v.DefaultValue.Kind != ast.NullValue
	}
	s.Variables = append(s.Variables, Variable{Name: v.Variable, Type: typ.String()})
	s.types = append(s.types, &typ)
	s.defaults = append(s.defaults, literal)
}

var kinds = map[ast.Operation]Kind{ast.Query: Query, ast.Mutation: Mutation, ast.Subscription: Subscription}

// survey finds what the operation depends on besides its text. Each fragment is read once.
type survey struct {
	selected *Selected
	// conditions are the variables that decide @skip and @include, deferIf those that decide @defer, nonNull those used
	// where null is forbidden.
	conditions, deferIf, nonNull map[string]bool
	fragments                    map[*ast.FragmentDefinition]bool
	seen                         map[coordinate]bool
}

// coordinate is Type.field of the schema.
type coordinate struct {
	typ, field string
}

func (u *survey) selections(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			u.directives(s.Directives)
			u.arguments(s.Arguments)
			u.field(s)
			u.selections(s.SelectionSet)
		case *ast.InlineFragment:
			u.directives(s.Directives)
			u.selections(s.SelectionSet)
		case *ast.FragmentSpread:
			u.directives(s.Directives)
			if !u.fragments[s.Definition] {
				u.fragments[s.Definition] = true
				u.selections(s.Definition.SelectionSet)
			}
		}
	}
}

func (u *survey) directives(list ast.DirectiveList) {
	for _, d := range list {
		u.arguments(d.Arguments)
		if d.Name == "defer" {
			u.selected.Defers = true
			if v := d.Arguments.ForName("if"); v != nil && v.Value.Kind == ast.Variable {
				u.deferIf[v.Value.Raw] = true
			}
			continue
		}
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		if v := d.Arguments.ForName("if").Value; v.Kind == ast.Variable {
			u.conditions[v.Raw] = true
		}
	}
}

func (u *survey) arguments(list ast.ArgumentList) {
	for _, a := range list {
		u.value(a.Value)
	}
}

// value notes the variables that stand where null is forbidden. Where the place has a default of its own, a
// nullable variable is right as it is.
func (u *survey) value(v *ast.Value) {
	if v.Kind == ast.Variable && v.ExpectedType != nil && v.ExpectedType.NonNull && !v.ExpectedTypeHasDefault {
		u.nonNull[v.Raw] = true
	}
	for _, c := range v.Children {
		u.value(c.Value)
	}
}

// field notes the requirements of a field: that of the type it is selected on, and those of the object types
// that it may be at run time, since each implementation of an interface field may ask for more.
func (u *survey) field(f *ast.Field) {
	at := coordinate{f.ObjectDefinition.Name, f.Name}
	if f.Name == "__typename" || u.seen[at] {
		return
	}
	u.seen[at] = true
	u.require(at)
	if f.ObjectDefinition.Kind == ast.Object {
		return
	}
	for id := range u.selected.supergraph.Possible(at.typ).All() {
		u.require(coordinate{u.selected.supergraph.Objects[id], at.field})
	}
}

func (u *survey) require(at coordinate) {
	s := u.selected
	r := s.supergraph.Requirement(at.typ, at.field)
	if r == nil {
		return
	}
	if _, ok := s.requirements[r]; !ok {
		s.requirements[r] = len(s.Requirements)
		s.Requirements = append(s.Requirements, r)
	}
}
