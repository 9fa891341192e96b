package apischema

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// roots: the query root must be visible.
func (b *builder) roots() {
	if name := b.from.Roots[ast.Query]; !b.visible(name) {
		b.errorf(report.QueryRootTypeInaccessible, name,
			`Type "%s" is @inaccessible but is the root query type, which must be in the API schema.`, name)
	}
}

// references: nothing visible may mention an inaccessible type.
func (b *builder) references() {
	check := func(t *ast.Type, by string) {
		if name := t.Name(); !b.visible(name) {
			b.errorf(report.ReferencedInaccessible, by, `Type "%s" is @inaccessible but is referenced by "%s", which is in the API schema.`, name, by)
		}
	}
	for _, t := range b.types() {
		if hidden(&t.Element) {
			continue
		}
		for _, f := range t.Fields {
			if hidden(&f.Element) {
				continue
			}
			check(f.Type, f.Coordinate())
			for _, a := range f.Arguments {
				if !hidden(&a.Element) {
					check(a.Type, a.Coordinate())
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
				check(a.Type, "@"+d.Name+"("+a.Name+":)")
			}
		}
	}
}

// required: what must be given must be visible.
func (b *builder) required() {
	for _, t := range b.types() {
		if hidden(&t.Element) {
			continue
		}
		for _, f := range t.Fields {
			if t.Kind == ast.InputObject && hidden(&f.Element) && f.Type.NonNull && f.Default == nil {
				b.errorf(report.RequiredInaccessible, f.Coordinate(),
					`Input field "%s" is @inaccessible but is a required input field of its type.`, f.Coordinate())
			}
			for _, a := range f.Arguments {
				if !hidden(&f.Element) && hidden(&a.Element) && a.Type.NonNull && a.Default == nil {
					b.errorf(report.RequiredInaccessible, a.Coordinate(),
						`Argument "%s" is @inaccessible but is a required argument of its field.`, a.Coordinate())
				}
			}
		}
	}
	for _, d := range b.from.Directives {
		for _, a := range d.Arguments {
			if hidden(&a.Element) && a.Type.NonNull && a.Default == nil {
				c := "@" + d.Name + "(" + a.Name + ":)"
				b.errorf(report.RequiredInaccessible, c, `Argument "%s" is @inaccessible but is a required argument of its directive.`, c)
			}
		}
	}
}

// children: a visible type must have something visible.
func (b *builder) children() {
	for _, t := range b.types() {
		if hidden(&t.Element) {
			continue
		}
		what, visible, all := "fields", 0, len(t.Fields)
		for _, f := range t.Fields {
			if !hidden(&f.Element) {
				visible++
			}
		}
		switch t.Kind {
		case ast.Scalar:
			continue
		case ast.InputObject:
			what = "input fields"
		case ast.Enum:
			what, all = "values", len(t.Values)
			for _, v := range t.Values {
				if !hidden(&v.Element) {
					visible++
				}
			}
		case ast.Union:
			what, all = "members", len(t.Members)
			for _, m := range t.Members {
				if b.visible(m.Name) {
					visible++
				}
			}
		}
		if visible == 0 && all > 0 {
			b.errorf(report.OnlyInaccessibleChildren, t.Name, `Type "%s" is in the API schema but all of its %s are @inaccessible.`, t.Name, what)
		}
	}
}

// implementations: what a visible interface promises must be visible on its implementations.
func (b *builder) implementations() {
	for _, t := range b.types() {
		if hidden(&t.Element) {
			continue
		}
		for _, ref := range t.Interfaces {
			i := b.from.Type(ref.Name)
			if i == nil || hidden(&i.Element) {
				continue
			}
			for _, f := range i.Fields {
				if own := t.Field(f.Name); own != nil && !hidden(&f.Element) {
					b.implementation(f, own)
				}
			}
		}
	}
}

func (b *builder) implementation(f, own *schema.Field) {
	if hidden(&own.Element) {
		b.errorf(report.ImplementedByInaccessible, own.Coordinate(),
			`Field "%s" is @inaccessible but implements the interface field "%s", which is in the API schema.`, own.Coordinate(), f.Coordinate())
		return
	}
	for _, a := range f.Arguments {
		if mine := own.Argument(a.Name); mine != nil && hidden(&mine.Element) && !hidden(&a.Element) {
			b.errorf(report.ImplementedByInaccessible, mine.Coordinate(),
				`Argument "%s" is @inaccessible but implements the interface argument "%s", which is in the API schema.`, mine.Coordinate(), a.Coordinate())
		}
	}
	for _, mine := range own.Arguments {
		if a := f.Argument(mine.Name); mine.Type.NonNull && mine.Default == nil && !hidden(&mine.Element) && a != nil && hidden(&a.Element) {
			b.errorf(report.RequiredInaccessible, a.Coordinate(),
				`Argument "%s" is @inaccessible but is implemented by the required argument "%s", which is in the API schema.`, a.Coordinate(), mine.Coordinate())
		}
	}
}

// disallowed: specifications' own elements cannot be inaccessible.
func (b *builder) disallowed() {
	for _, t := range b.from.Types {
		if b.from.Machinery[t.Name] && hidden(&t.Element) {
			b.errorf(report.DisallowedInaccessible, t.Name, `Core feature type "%s" cannot use @inaccessible.`, t.Name)
		}
	}
	for _, d := range b.from.Directives {
		if !b.from.Machinery["@"+d.Name] {
			continue
		}
		for _, a := range d.Arguments {
			if hidden(&a.Element) {
				b.errorf(report.DisallowedInaccessible, "@"+d.Name+"("+a.Name+":)", `Core feature directive "@%s" cannot use @inaccessible.`, d.Name)
				break
			}
		}
	}
}
