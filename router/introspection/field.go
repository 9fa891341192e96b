package introspection

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// https://spec.graphql.org/draft/#sec-The-__Field-Type
func (w *writer) field(f *ast.FieldDefinition, selections []*selection) {
	w.object(selections, func(s *selection) {
		switch s.name {
		case "name":
			w.text(f.Name)
		case "description":
			w.optional(f.Description)
		case "args":
			w.arguments(f.Arguments, s)
		case "type":
			w.typ(f.Type, s.below)
		default:
			if !w.deprecation(s, f.Directives) {
				w.null()
			}
		}
	})
}

func (w *writer) arguments(arguments ast.ArgumentDefinitionList, s *selection) {
	each(w, arguments, func(a *ast.ArgumentDefinition) bool { return s.shows(a.Directives) },
		func(a *ast.ArgumentDefinition) { w.inputValue(a, s.below) })
}

// inputField sees a field of an input object as what an argument is, too: an input value.
func inputField(f *ast.FieldDefinition) *ast.ArgumentDefinition {
	return &ast.ArgumentDefinition{
		Name: f.Name, Description: f.Description, Type: f.Type, DefaultValue: f.DefaultValue, Directives: f.Directives,
	}
}

// https://spec.graphql.org/draft/#sec-The-__InputValue-Type
func (w *writer) inputValue(v *ast.ArgumentDefinition, selections []*selection) {
	w.object(selections, func(s *selection) {
		switch s.name {
		case "name":
			w.text(v.Name)
		case "description":
			w.optional(v.Description)
		case "type":
			w.typ(v.Type, s.below)
		case "defaultValue":
			if v.DefaultValue == nil {
				w.null()
				return
			}
			w.text(literal(v.DefaultValue))
		default:
			if !w.deprecation(s, v.Directives) {
				w.null()
			}
		}
	})
}

// literal prints a default value as GraphQL text.
func literal(v *ast.Value) string {
	if v.Kind != ast.ListValue && v.Kind != ast.ObjectValue {
		return v.String()
	}
	parts := make([]string, len(v.Children))
	for i, c := range v.Children {
		parts[i] = literal(c.Value)
		if v.Kind == ast.ObjectValue {
			parts[i] = c.Name + ": " + parts[i]
		}
	}
	if v.Kind == ast.ObjectValue {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// https://spec.graphql.org/draft/#sec-The-__EnumValue-Type
func (w *writer) enumValue(v *ast.EnumValueDefinition, selections []*selection) {
	w.object(selections, func(s *selection) {
		switch s.name {
		case "name":
			w.text(v.Name)
		case "description":
			w.optional(v.Description)
		default:
			if !w.deprecation(s, v.Directives) {
				w.null()
			}
		}
	})
}

// https://spec.graphql.org/draft/#sec-The-__Directive-Type
func (w *writer) directive(d *ast.DirectiveDefinition, selections []*selection) {
	w.object(selections, func(s *selection) {
		switch s.name {
		case "name":
			w.text(d.Name)
		case "description":
			w.optional(d.Description)
		case "isRepeatable":
			w.boolean(d.IsRepeatable)
		case "locations":
			each(w, d.Locations, nil, func(l ast.DirectiveLocation) { w.text(string(l)) })
		case "args":
			w.arguments(d.Arguments, s)
		default:
			if !w.deprecation(s, d.Directives) {
				w.null()
			}
		}
	})
}
