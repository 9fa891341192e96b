package merge

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// contextArguments is the contextArguments list of join__field, or nil: arguments that the router fills from a context.
func contextArguments(subgraphName string, f *schema.Field) *ast.Value {
	var list *ast.Value
	for _, a := range f.Arguments {
		d := a.One("fromContext")
		if d == nil {
			continue
		}
		context, selection, _ := subgraph.ParseContext(d.Text("field"))
		if list == nil {
			list = schema.List()
		}
		list.Children = append(list.Children, &ast.ChildValue{Value: schema.Object(
			schema.Arg("context", schema.String(subgraphName+"__"+context)),
			schema.Arg("name", schema.String(a.Name)),
			schema.Arg("type", schema.String(a.Type.String())),
			schema.Arg("selection", schema.String(" "+strings.TrimSpace(selection))),
		)})
	}
	return list
}

// contextual tells whether an argument is filled from a context somewhere; it is then no part of the API, so that it must
// be optional where it is an ordinary one.
func (m *merger) contextual(owner, name string, lists []source[[]*schema.Argument]) bool {
	somewhere := false
	for _, l := range lists {
		if a := find(l.el, name); a != nil && a.Has("fromContext") {
			somewhere = true
		}
	}
	if !somewhere {
		return false
	}
	coordinate := owner + "(" + name + ":)"
	var plain []report.Node
	required := false
	for _, l := range lists {
		a := find(l.el, name)
		if a == nil || a.Has("fromContext") {
			continue
		}
		plain = append(plain, m.node(l.index, a.Position))
		required = required || a.Type.NonNull && a.Default == nil
	}
	switch {
	case required:
		m.errorf(report.ContextualArgumentNotContextualInAllSubgraphs, coordinate, plain,
			`Argument "%s" is contextual in at least one subgraph but in "%s" it does not have @fromContext, is not nullable and has no default value.`, coordinate, coordinate)
	case len(plain) > 0:
		m.hint(report.HintContextualArgumentNotContextualInAllSubgraphs, coordinate, plain,
			`Contextual argument "%s" will not be included in the supergraph since it is contextual in at least one subgraph`, coordinate)
	}
	return true
}
