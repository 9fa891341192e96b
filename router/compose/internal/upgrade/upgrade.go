// Package upgrade turns subgraphs of federation 1 into what they mean in federation 2, so that merging knows one kind:
// @external where it means nothing goes, extensions become definitions, @shareable is added to what was implicitly shared.
// The rules are those of https://www.apollographql.com/docs/graphos/reference/federation/migrate: a schema that federation 1
// composed keeps its meaning.
package upgrade

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// upgrader is the upgrade of one subgraph among all.
type upgrader struct {
	*subgraph.Subgraph
	all    []*subgraph.Subgraph
	errors report.Errors
}

// steps change the subgraph; their order matters: what is external is settled before what needs it.
var steps = []func(*upgrader){
	(*upgrader).base, (*upgrader).fieldTexts, (*upgrader).interfaces, (*upgrader).externalTypes, (*upgrader).externalKeys,
	(*upgrader).reduce, (*upgrader).externalTags, (*upgrader).unusedExternal, (*upgrader).define,
}

// Upgrade changes the federation 1 subgraphs among all, in place, and validates them by the rules of federation 2.
func Upgrade(all []*subgraph.Subgraph) report.Errors {
	errs := interfaceObjects(all)
	var upgraders []*upgrader
	for _, s := range all {
		if s.Fed1() {
			upgraders = append(upgraders, &upgrader{Subgraph: s, all: all})
		}
	}
	for _, step := range steps {
		for _, u := range upgraders {
			step(u)
		}
	}
	for _, u := range upgraders {
		u.Analyse()
	}
	for _, u := range upgraders {
		u.share()
		errs = append(errs, u.errors...)
	}
	if len(errs) > 0 {
		return errs
	}
	for _, u := range upgraders {
		errs = append(errs, u.Revalidate()...)
	}
	return errs
}

func (u *upgrader) fail(code report.Code, t *schema.Type, format string, args ...any) {
	u.errors = append(u.errors, u.Errorf(code, t.Name, t.Position, format, args...))
}

// interfaceObjects: a key on an interface of federation 1 does not resolve implementations, as interface objects need.
func interfaceObjects(all []*subgraph.Subgraph) report.Errors {
	var errs report.Errors
	for _, s := range all {
		for _, t := range s.Types {
			if !t.Has("interfaceObject") {
				continue
			}
			for _, other := range all {
				i := other.Type(t.Name)
				if !other.Fed1() || i == nil || i.Kind != ast.Interface || !i.Has("key") {
					continue
				}
				errs = append(errs, &report.Error{
					Code: report.InterfaceObjectUsageError, Coordinate: t.Name, Nodes: []report.Node{s.Node(t.Position), other.Node(i.Position)},
					Message: `The @interfaceObject directive is used on type "` + t.Name + `" in subgraph "` + s.Name +
						`", which requires other subgraphs to resolve its type name via an interface @key. However, @key on an interface in a federation 1 subgraph does not mean ` +
						`it can fulfill the __typename-resolution requirement that @interfaceObject depends on. For subgraph "` + other.Name +
						`", either upgrade them to federation 2 subgraphs or remove @key from the type.`,
				})
			}
		}
	}
	return errs
}

// base wants a definition somewhere of what is only extended here.
func (u *upgrader) base() {
	for _, t := range u.Types {
		if t.Defined || t.Kind != ast.Object && t.Kind != ast.Interface || u.RootOf(t.Name) != "" {
			continue
		}
		found := false
		for _, other := range u.all {
			if own := other.Type(t.Name); own != nil && own.Defined {
				found = true
			}
		}
		if !found {
			u.fail(report.ExtensionWithNoBase, t, `Type "%s" is an extension type, but there is no type definition for "%s" in any subgraph.`, t.Name, t.Name)
		}
	}
}

// define makes definitions of extensions.
func (u *upgrader) define() {
	for _, t := range u.Types {
		t.Defined = true
		for _, d := range t.Applied {
			d.Extension = 0
		}
		for _, f := range t.Fields {
			f.Extension = 0
		}
	}
}

// share adds @shareable to fields that another subgraph resolves, too: federation 1 shared value types and key fields
// without a word. Subscriptions were never shared.
func (u *upgrader) share() {
	for _, t := range u.Types {
		if t.Kind != ast.Object || u.RootOf(t.Name) == ast.Subscription || t.Has("shareable") {
			continue
		}
		for _, f := range t.Fields {
			if !u.Shareable(f) && !u.IsExternal(f) && u.resolvedElsewhere(t, f) {
				f.Applied = append(f.Applied, &schema.Directive{Name: "shareable", Spec: "shareable"})
			}
		}
	}
}

func (u *upgrader) resolvedElsewhere(t *schema.Type, f *schema.Field) bool {
	for _, other := range u.all {
		if other == u.Subgraph {
			continue
		}
		own := other.Type(t.Name)
		if own == nil {
			continue
		}
		if field := own.Field(f.Name); field != nil && !other.FullyExternal(field) {
			return true
		}
	}
	return false
}
