package subgraph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// separateDefinitions takes out of the schema what belongs to federation and its companions, and keeps it aside to be
// checked: what a subgraph may write itself, composition knows better.
func separateDefinitions(s *Subgraph) {
	for _, d := range append([]*schema.DirectiveDefinition(nil), s.Directives...) {
		if s.specs[d.Name] != "" || s.isLinkName(d.Name) || s.ofSpecification(d.Name) {
			s.Owned = append(s.Owned, d)
			s.RemoveDirective(d.Name)
		}
	}
	for _, t := range append([]*schema.Type(nil), s.Types...) {
		if scalars[t.Name] {
			if t.Kind != ast.Scalar {
				s.invalid(t.Name, t.Position, `Invalid definition of type "%s": it is a scalar that every GraphQL schema has, but is defined as a %s`, t.Name, className(t.Kind))
			}
			s.RemoveType(t.Name)
			continue
		}
		if s.machinery(t) {
			s.OwnedTypes = append(s.OwnedTypes, t)
			s.RemoveType(t.Name)
		}
	}
	s.checkOwned()
}

func (s *Subgraph) isLinkName(name string) bool {
	if l := s.Link(federation.LinkSpec); l != nil {
		return name == l.Namespace()
	}
	if l := s.Link(federation.CoreSpec); l != nil {
		return name == l.Namespace()
	}
	return name == "link"
}

// ofSpecification tells whether a namespaced name belongs to link, core, federation or connect.
func (s *Subgraph) ofSpecification(name string) bool {
	prefix, _, ok := strings.Cut(name, "__")
	if !ok {
		return false
	}
	for _, l := range s.Links {
		switch l.Identity {
		case federation.Identity, federation.LinkSpec, federation.CoreSpec, federation.ConnectSpec:
			if prefix == l.Namespace() {
				return true
			}
		}
	}
	return prefix == "link"
}

// machinery tells whether a type is part of federation rather than of the subgraph.
func (s *Subgraph) machinery(t *schema.Type) bool {
	switch t.Name {
	case "_Service":
		return t.Kind == ast.Object
	case "_Any", "_FieldSet":
		return t.Kind == ast.Scalar
	case "_Entity":
		return t.Kind == ast.Union
	}
	if s.ofSpecification(t.Name) {
		return true
	}
	if s.Federation == nil {
		return false
	}
	for _, name := range federation.Types(s.Version) {
		if t.Name == s.Federation.TypeName(name) {
			return true
		}
	}
	return false
}
