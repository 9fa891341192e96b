package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/report"
)

// externalOnInterface refuses @external on an interface's fields.
func externalOnInterface(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			if f.Has("external") {
				s.errorf(report.ExternalOnInterface, f.Coordinate(), f.Position,
					`Interface type field "%s" is marked @external but @external is not allowed on interface fields (it is nonsensical).`, f.Coordinate())
			}
		}
	}
}

// externalUnused refuses external fields that nothing needs.
func externalUnused(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			if MarkedExternal(f) && !s.Usage.Used[f] && !f.Has("provides") {
				s.errorf(report.ExternalUnused, f.Coordinate(), f.Position,
					`Field "%s" is marked @external but is not used in any federation directive (@key, @provides, @requires) or to satisfy an interface; `+
						`the field declaration has no use and should be removed (or the field should not be @external).`, f.Coordinate())
			}
		}
	}
}
