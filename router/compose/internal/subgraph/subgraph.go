// Package subgraph reads the SDL of one subgraph: it finds the specifications that the schema links to, gives every
// applied federation directive its name in the specification, sets federation's own definitions apart, and validates
// what remains by GraphQL's and federation's rules, of which each has a file. What comes out is a Subgraph that merging
// can trust. Specified in https://specs.apollo.dev/federation.
package subgraph

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// Subgraph is a subgraph's schema and what is known of it.
type Subgraph struct {
	Name, URL, File, SDL string
	// Schema holds the subgraph's own types. Root types have their default names, federation's machinery is not there.
	*schema.Schema
	// Version is the version of federation linked to, zero for federation 1.
	Version federation.Version
	// Links are all linked specifications, Federation the one of federation (nil for federation 1).
	Links      []*federation.Link
	Federation *federation.Link
	// Owned are the directive definitions that the schema gives for specifications that composition knows.
	Owned []*schema.DirectiveDefinition
	// OwnedTypes are the like of types: federation's scalars, link__Import and so on.
	OwnedTypes []*schema.Type
	// HadQuery is false where the schema has no query type of its own.
	HadQuery bool
	// Usage is the result of Analyse.
	Usage *Usage

	document *schema.Document
	specs    map[string]string
	newest   federation.Version
	// upgraded is true once a federation 1 subgraph has become a federation 2 one.
	upgraded bool
	problems report.Errors
}

// Fed1 tells whether the subgraph is one of federation 1.
func (s *Subgraph) Fed1() bool { return s.Federation == nil }

// Node makes a report node of a position in the subgraph.
func (s *Subgraph) Node(pos *ast.Position) report.Node {
	n := report.Node{Subgraph: s.Name, File: s.File, Source: s.SDL}
	if pos != nil {
		n.Start, n.End = schema.Span(s.SDL, pos)
	}
	return n
}

// Errorf records an error of this subgraph; its message gets the subgraph's name as prefix.
func (s *Subgraph) Errorf(code report.Code, coordinate string, pos *ast.Position, format string, args ...any) *report.Error {
	s.errorf(code, coordinate, pos, format, args...)
	return s.problems[len(s.problems)-1]
}

// errorf records an error of this subgraph; its message gets the subgraph's name as prefix.
func (s *Subgraph) errorf(code report.Code, coordinate string, pos *ast.Position, format string, args ...any) {
	e := &report.Error{Code: code, Coordinate: coordinate, Message: "[" + s.Name + "] " + fmt.Sprintf(format, args...)}
	if pos != nil {
		e.Nodes = []report.Node{s.Node(pos)}
	}
	s.problems = append(s.problems, e)
}

// Link finds the link to a specification by its identity, or nil.
func (s *Subgraph) Link(identity string) *federation.Link {
	for _, l := range s.Links {
		if l.Identity == identity {
			return l
		}
	}
	return nil
}

// DirectiveName is the name that this subgraph has for a directive of federation; ok is false where it has none.
func (s *Subgraph) DirectiveName(spec string) (name string, ok bool) {
	d := federation.Lookup(spec)
	if d == nil {
		return "", false
	}
	if d.Feature != nil {
		if l := s.Link(d.Feature.Identity); l != nil {
			return l.DirectiveName(spec), true
		}
	}
	if !d.In(s.Version) {
		return "", false
	}
	if s.Fed1() {
		return spec, true
	}
	return s.Federation.DirectiveName(spec), true
}

// typeName is the name that this subgraph has for a type of federation.
func (s *Subgraph) typeName(spec string) string {
	if s.Fed1() {
		return "_" + spec
	}
	return s.Federation.TypeName(spec)
}
