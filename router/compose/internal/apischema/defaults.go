package apischema

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/report"
)

// defaults: the default values of what is visible may not use what is not.
func (b *builder) defaults() {
	for _, t := range b.types() {
		if hidden(&t.Element) {
			continue
		}
		for _, f := range t.Fields {
			if hidden(&f.Element) {
				continue
			}
			b.defaultValue(f.Default, f.Type, f.Coordinate())
			for _, a := range f.Arguments {
				if !hidden(&a.Element) {
					b.defaultValue(a.Default, a.Type, a.Coordinate())
				}
			}
		}
	}
	for _, d := range b.from.Directives {
		if b.from.Machinery["@"+d.Name] {
			continue
		}
		for _, a := range d.Arguments {
			if !hidden(&a.Element) {
				b.defaultValue(a.Default, a.Type, "@"+d.Name+"("+a.Name+":)")
			}
		}
	}
}

func (b *builder) defaultValue(v *ast.Value, t *ast.Type, of string) {
	if v == nil {
		return
	}
	if v.Kind == ast.ListValue {
		for _, c := range v.Children {
			if t.Elem != nil {
				b.defaultValue(c.Value, t.Elem, of)
			}
		}
		return
	}
	def := b.from.Type(t.Name())
	switch {
	case def == nil:
	case def.Kind == ast.Enum && v.Kind == ast.EnumValue:
		if value := def.Value(v.Raw); value != nil && hidden(&value.Element) {
			b.errorf(report.DefaultValueUsesInaccessible, of,
				`Enum value "%s.%s" is @inaccessible but is used in the default value of "%s", which is in the API schema.`, def.Name, v.Raw, of)
		}
	case def.Kind == ast.InputObject && v.Kind == ast.ObjectValue:
		for _, c := range v.Children {
			f := def.Field(c.Name)
			if f == nil {
				continue
			}
			if hidden(&f.Element) {
				b.errorf(report.DefaultValueUsesInaccessible, of,
					`Input field "%s" is @inaccessible but is used in the default value of "%s", which is in the API schema.`, f.Coordinate(), of)
				continue
			}
			b.defaultValue(c.Value, f.Type, of)
		}
	}
}
