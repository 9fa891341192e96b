package merge

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// interfaceFields wants every field of a merged interface on every implementation.
func interfaceFields(s *Supergraph) report.Errors {
	var errs report.Errors
	for _, o := range s.Types {
		if o.Kind != ast.Object && o.Kind != ast.Interface || s.Machinery[o.Name] {
			continue
		}
		for _, ref := range o.Interfaces {
			i := s.Type(ref.Name)
			if i == nil || i.Kind != ast.Interface {
				continue
			}
			for _, f := range i.Fields {
				if o.Field(f.Name) == nil {
					errs = append(errs, s.unimplemented(i, f, o))
				}
			}
		}
	}
	return errs
}

func (s *Supergraph) unimplemented(i *schema.Type, f *schema.Field, o *schema.Type) *report.Error {
	var declaring, implementing []int
	var nodes []report.Node
	for index, sg := range s.Subgraphs {
		if t := sg.Type(i.Name); t != nil && t.Field(f.Name) != nil {
			declaring = append(declaring, index)
			nodes = append(nodes, sg.Node(t.Field(f.Name).Position))
		}
	}
	for index, sg := range s.Subgraphs {
		if t := sg.Type(o.Name); t != nil && t.Implements(i.Name) {
			implementing = append(implementing, index)
			nodes = append(nodes, sg.Node(t.Position))
		}
	}
	return &report.Error{
		Code: report.InterfaceFieldNoImplem, Coordinate: f.Coordinate(), Nodes: nodes,
		Message: fmt.Sprintf(`Interface field "%s" is declared in %s but type "%s", which implements "%s" only in %s does not have field "%s".`,
			f.Coordinate(), s.subgraphList(declaring), o.Name, i.Name, s.subgraphList(implementing), f.Name),
	}
}
