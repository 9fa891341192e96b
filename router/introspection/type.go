package introspection

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// query writes the fields of the root type.
func (w *writer) query(selections []*selection) {
	w.object(selections, func(s *selection) {
		if s.name == "__schema" {
			w.schema(s.below)
			return
		}
		w.named(w.transport.schema.Types[s.typeName], s.below)
	})
}

// https://spec.graphql.org/draft/#sec-The-__Schema-Type
func (w *writer) schema(selections []*selection) {
	schema := w.transport.schema
	w.object(selections, func(s *selection) {
		switch s.name {
		case "description":
			w.optional(schema.Description)
		case "types":
			each(w, w.transport.types, nil, func(t *ast.Definition) { w.named(t, s.below) })
		case "queryType":
			w.named(schema.Query, s.below)
		case "mutationType":
			w.named(schema.Mutation, s.below)
		case "subscriptionType":
			w.named(schema.Subscription, s.below)
		case "directives":
			each(w, w.transport.directives, nil, func(d *ast.DirectiveDefinition) { w.directive(d, s.below) })
		default:
			w.null()
		}
	})
}

// typ writes a type as it is used, wrapped in lists and non-null.
func (w *writer) typ(t *ast.Type, selections []*selection) {
	switch {
	case t.NonNull:
		inner := *t
		inner.NonNull = false
		w.wrapped("NON_NULL", &inner, selections)
	case t.Elem != nil:
		w.wrapped("LIST", t.Elem, selections)
	default:
		w.named(w.transport.schema.Types[t.NamedType], selections)
	}
}

func (w *writer) wrapped(kind string, of *ast.Type, selections []*selection) {
	w.object(selections, func(s *selection) {
		switch s.name {
		case "kind":
			w.text(kind)
		case "ofType":
			w.typ(of, s.below)
		default:
			w.null()
		}
	})
}

// named writes a type with a name; nil is null.
// https://spec.graphql.org/draft/#sec-The-__Type-Type
func (w *writer) named(t *ast.Definition, selections []*selection) {
	if t == nil {
		w.null()
		return
	}
	w.object(selections, func(s *selection) {
		switch s.name {
		case "kind":
			w.text(string(t.Kind))
		case "name":
			w.text(t.Name)
		case "description":
			w.optional(t.Description)
		case "specifiedByURL":
			w.specifiedBy(t)
		case "isOneOf":
			if t.Kind != ast.InputObject {
				w.null()
				return
			}
			w.boolean(t.Directives.ForName("oneOf") != nil)
		default:
			w.members(t, s)
		}
	})
}

// members writes the lists of a type; those that its kind does not have are null.
func (w *writer) members(t *ast.Definition, s *selection) {
	object := t.Kind == ast.Object || t.Kind == ast.Interface
	types := func(of []*ast.Definition) { w.types(of, s.below) }
	switch {
	case s.name == "fields" && object:
		each(w, t.Fields, func(f *ast.FieldDefinition) bool {
			return !strings.HasPrefix(f.Name, "__") && s.shows(f.Directives)
		}, func(f *ast.FieldDefinition) { w.field(f, s.below) })
	case s.name == "inputFields" && t.Kind == ast.InputObject:
		each(w, t.Fields, func(f *ast.FieldDefinition) bool { return s.shows(f.Directives) },
			func(f *ast.FieldDefinition) { w.inputValue(inputField(f), s.below) })
	case s.name == "enumValues" && t.Kind == ast.Enum:
		each(w, t.EnumValues, func(v *ast.EnumValueDefinition) bool { return s.shows(v.Directives) },
			func(v *ast.EnumValueDefinition) { w.enumValue(v, s.below) })
	case s.name == "interfaces" && object:
		var interfaces []*ast.Definition
		for _, name := range t.Interfaces {
			interfaces = append(interfaces, w.transport.schema.Types[name])
		}
		types(interfaces)
	case s.name == "possibleTypes" && t.IsAbstractType():
		// gqlparser counts interfaces that implement this one, too.
		types(slices.DeleteFunc(slices.Clone(w.transport.schema.PossibleTypes[t.Name]), (*ast.Definition).IsAbstractType))
	default:
		w.null()
	}
}

// shows reports whether an element is listed: it is not deprecated, or deprecated ones are asked for.
func (s *selection) shows(directives ast.DirectiveList) bool {
	return s.deprecated || directives.ForName("deprecated") == nil
}

// types writes named types in order of name.
func (w *writer) types(types []*ast.Definition, selections []*selection) {
	types = slices.SortedFunc(slices.Values(types), func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	each(w, types, nil, func(t *ast.Definition) { w.named(t, selections) })
}

func (w *writer) specifiedBy(t *ast.Definition) {
	if d := t.Directives.ForName("specifiedBy"); d != nil && t.Kind == ast.Scalar {
		if url := d.Arguments.ForName("url"); url != nil && url.Value != nil {
			w.text(url.Value.Raw)
			return
		}
	}
	w.null()
}
