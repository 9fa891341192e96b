package subgraph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// graphqlRules are GraphQL's own rules for type systems (https://spec.graphql.org/draft/#sec-Type-System), a file for
// each group. A later stage relies on the ones before: its rules run only where those found nothing.
var graphqlRules = [][]func(*Subgraph){
	{content, uniqueNames},
	{knownTypes, rootTypes},
	{directiveUses, reservedNames, inputOutputTypes, interfaces, unionMembers, nonEmpty, inputCycles, defaultValues, deprecations},
}

// validateGraphQL applies the rules.
func validateGraphQL(s *Subgraph) {
	for _, stage := range graphqlRules {
		for _, rule := range stage {
			rule(s)
		}
		if len(s.problems) > 0 {
			return
		}
	}
}

// invalid records an INVALID_GRAPHQL error.
func (s *Subgraph) invalid(coordinate string, pos *ast.Position, format string, args ...any) {
	s.errorf(report.InvalidGraphql, coordinate, pos, format, args...)
}

// content wants a document with something in it, and enum values that can be written.
func content(s *Subgraph) {
	if len(s.document.SchemaDefinitions)+len(s.Types)+len(s.Directives)+len(s.Owned)+len(s.OwnedTypes) == 0 {
		s.invalid("", &ast.Position{Line: 1, Column: 1}, "Syntax Error: Unexpected <EOF>.")
	}
	for _, t := range s.Types {
		for _, v := range t.Values {
			if v.Name == "true" || v.Name == "false" || v.Name == "null" {
				s.invalid(t.Name, v.Position, `Syntax Error: Name "%s" is reserved and cannot be used for an enum value.`, v.Name)
			}
		}
	}
}

// uniqueNames reports what is declared twice.
func uniqueNames(s *Subgraph) {
	for _, d := range s.document.Duplicates {
		s.invalid("", d.Second, "%s", d.What)
		s.problems[len(s.problems)-1].Nodes = append(s.problems[len(s.problems)-1].Nodes, s.Node(d.First))
	}
}

var scalars = map[string]bool{"Int": true, "Float": true, "String": true, "Boolean": true, "ID": true}

// kindOf is the kind of the named type; empty where there is no such type.
func (s *Subgraph) kindOf(name string) schema.Kind {
	if t := s.Type(name); t != nil {
		return t.Kind
	}
	if scalars[name] {
		return ast.Scalar
	}
	for _, t := range s.OwnedTypes {
		if t.Name == name {
			return t.Kind
		}
	}
	if s.predefined(name) {
		return ast.Scalar
	}
	return ""
}

// knownTypes wants every mentioned type to exist.
func knownTypes(s *Subgraph) {
	known := func(coordinate string, pos *ast.Position, name string) {
		if s.kindOf(name) == "" {
			s.invalid(coordinate, pos, "Unknown type %s%s", name, s.nearbyType(name))
		}
	}
	for _, t := range s.Types {
		for _, ref := range t.Interfaces {
			switch kind := s.kindOf(ref.Name); {
			case kind == "":
				s.invalid(t.Name, ref.Position, "Cannot implement unknown type %s%s", ref.Name, s.nearbyType(ref.Name))
			case kind != ast.Interface:
				s.invalid(t.Name, ref.Position, "Cannot implement non-interface type %s (of type %s)", ref.Name, className(kind))
			}
		}
		for _, m := range t.Members {
			known(t.Name, m.Position, m.Name)
		}
		for _, f := range t.Fields {
			known(f.Coordinate(), f.Position, f.Type.Name())
			for _, a := range f.Arguments {
				known(a.Coordinate(), a.Position, a.Type.Name())
			}
		}
	}
	for _, d := range s.Directives {
		for _, a := range d.Arguments {
			known("@"+d.Name, a.Position, a.Type.Name())
		}
	}
}

// maxSuggesting is how many problems of a subgraph get suggestions: each costs a look at all names.
const maxSuggesting = 100

// nearbyType ends a message about an unknown type with the known types of similar names.
func (s *Subgraph) nearbyType(name string) string {
	if len(s.problems) > maxSuggesting {
		return ""
	}
	known := []string{"Boolean", "Float", "ID", "Int", "String"}
	for _, t := range s.Types {
		known = append(known, t.Name)
	}
	if advice := schema.DidYouMean(name, known); advice != "" {
		return "." + advice
	}
	return ""
}

// rootTypes wants root types to exist and to be objects.
func rootTypes(s *Subgraph) {
	for _, op := range schema.Operations {
		name, ok := s.Roots[op]
		if !ok {
			continue
		}
		switch kind := s.kindOf(name); {
		case kind == "":
			s.invalid("schema", s.Root.Position, "Cannot set schema %s root to unknown type %s%s", op, name, s.nearbyType(name))
		case kind != ast.Object:
			s.invalid("schema", s.Root.Position, "%s root type must be an Object type, it cannot be set to %s (an %s).",
				schema.DefaultRoot(op), name, className(kind))
		}
		for _, other := range schema.Operations {
			if other == op {
				break
			}
			if s.Roots[other] == name {
				s.invalid("schema", s.Root.Position, "All root types must be different. %q type is used for both %s and %s.", name, other, op)
			}
		}
	}
}

// className is the kind's name in the reference's messages.
func className(k schema.Kind) string {
	switch k {
	case ast.Object:
		return "ObjectType"
	case ast.Interface:
		return "InterfaceType"
	case ast.Union:
		return "UnionType"
	case ast.Enum:
		return "EnumType"
	case ast.InputObject:
		return "InputObjectType"
	}
	return "ScalarType"
}

// reservedNames keeps names that begin with two underscores for introspection.
func reservedNames(s *Subgraph) {
	check := func(name string, pos *ast.Position) {
		if strings.HasPrefix(name, "__") {
			s.invalid(name, pos, `Name "%s" must not begin with "__", which is reserved by GraphQL introspection.`, name)
		}
	}
	for _, t := range s.Types {
		check(t.Name, t.Position)
		for _, f := range t.Fields {
			check(f.Name, f.Position)
			for _, a := range f.Arguments {
				check(a.Name, a.Position)
			}
		}
		for _, v := range t.Values {
			check(v.Name, v.Position)
		}
	}
	for _, d := range s.Directives {
		check(d.Name, d.Position)
		for _, a := range d.Arguments {
			check(a.Name, a.Position)
		}
	}
}

// nonEmpty wants at least one field, member or value.
func nonEmpty(s *Subgraph) {
	for _, t := range s.Types {
		// Federation adds fields to an empty query type.
		if t.Name == "Query" {
			continue
		}
		switch t.Kind {
		case ast.Object, ast.Interface:
			if len(t.Fields) == 0 {
				s.invalid(t.Name, t.Position, "Type %s must define one or more fields.", t.Name)
			}
		case ast.InputObject:
			if len(t.Fields) == 0 {
				s.invalid(t.Name, t.Position, "Input Object type %s must define one or more fields.", t.Name)
			}
		case ast.Enum:
			if len(t.Values) == 0 {
				s.invalid(t.Name, t.Position, "Enum type %s must define one or more values.", t.Name)
			}
		case ast.Union:
			if len(t.Members) == 0 {
				s.invalid(t.Name, t.Position, "Union type %s must define one or more member types.", t.Name)
			}
		}
	}
}
