package subgraph

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// costOnInterface refuses @cost on an interface's fields: the cost is the implementation's.
func costOnInterface(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			if d := f.One("cost"); d != nil {
				s.errorf(report.CostAppliedToInterfaceField, f.Coordinate(), d.Position, `@cost cannot be applied to interface "%s"`, f.Coordinate())
			}
		}
	}
}

// listSizeArguments checks every @listSize.
func listSizeArguments(s *Subgraph) {
	for _, t := range s.Types {
		for _, f := range t.Fields {
			if d := f.One("listSize"); d != nil {
				s.listSize(f, d)
			}
		}
	}
}

func (s *Subgraph) listSize(f *schema.Field, d *schema.Directive) {
	sized := d.Argument("sizedFields")
	list := f.Type.Elem != nil
	if !list && (sized == nil || len(sized.Children) == 0) {
		s.errorf(report.ListSizeAppliedToNonList, f.Coordinate(), d.Position, `"%s" is not a list`, f.Coordinate())
	}
	if v := d.Argument("assumedSize"); v != nil && v.Kind == ast.IntValue {
		if n, err := strconv.Atoi(v.Raw); err == nil && n < 0 {
			s.errorf(report.ListSizeInvalidAssumedSize, f.Coordinate(), d.Position, `Assumed size of "%s" cannot be negative`, f.Coordinate())
		}
	}
	s.slicingArguments(f, d)
	if sized == nil {
		return
	}
	of := s.Type(f.Type.Name())
	if len(sized.Children) > 0 && (of == nil || !of.IsComposite() || list) {
		s.errorf(report.ListSizeInvalidSizedField, f.Coordinate(), d.Position,
			`Sized fields cannot be used because "%s" is not a composite type`, f.Type)
		return
	}
	for _, c := range sized.Children {
		switch field := of.Field(c.Value.Raw); {
		case field == nil:
			s.errorf(report.ListSizeInvalidSizedField, f.Coordinate(), d.Position, `Sized field "%s" is not a field on type "%s"`, c.Value.Raw, of.Name)
		case field.Type.Elem == nil:
			s.errorf(report.ListSizeAppliedToNonList, f.Coordinate(), d.Position, `Sized field "%s" is not a list`, field.Coordinate())
		}
	}
}

func (s *Subgraph) slicingArguments(f *schema.Field, d *schema.Directive) {
	v := d.Argument("slicingArguments")
	if v == nil {
		return
	}
	for _, c := range v.Children {
		switch a := f.Argument(c.Value.Raw); {
		case a == nil:
			s.errorf(report.ListSizeInvalidSlicingArgument, f.Coordinate(), d.Position,
				`Slicing argument "%s" is not an argument of "%s"`, c.Value.Raw, f.Coordinate())
		case a.Type.Elem != nil || a.Type.NamedType != "Int":
			s.errorf(report.ListSizeInvalidSlicingArgument, f.Coordinate(), d.Position,
				`Slicing argument "%s" must be Int or Int!`, a.Coordinate())
		}
	}
}
