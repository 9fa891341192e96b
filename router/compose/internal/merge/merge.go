// Package merge makes one supergraph schema of valid subgraphs, by the rules of Apollo Federation 2: what several
// subgraphs declare is united or intersected, what they disagree on is an error or a hint, and join directives
// (https://specs.apollo.dev/join) record which subgraph declared what.
//
// Types are added first, then what makes them subtypes of each other (implements, union members), then fields, which need
// those relations, then enums, whose rule depends on where they are used. Each kind of element has a file, merge_*.go.
package merge

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// Supergraph is a merged schema.
type Supergraph struct {
	*schema.Schema
	// Subgraphs are those merged, in the order of Graphs.
	Subgraphs []*subgraph.Subgraph
	// Graphs are the names of the join__Graph values.
	Graphs []string
	// Version is the version of federation of the whole.
	Version federation.Version
	// Machinery are the names of types and directives that are no part of the API.
	Machinery map[string]bool
	// Fields say per field of an object or interface how each subgraph has it.
	Fields map[*schema.Field]*FieldOrigins
	// Hints are in the order in which they were found.
	Hints []report.Hint
	// DirectiveNames are the supergraph's names of federation's directives.
	DirectiveNames map[string]string
}

// FieldOrigins say which subgraphs resolve a merged field and how.
type FieldOrigins struct {
	// Overridden are the subgraphs (by index) whose field another subgraph overrides, with the label if there is one.
	Overridden map[int]Override
	// Overriding is the label by which a subgraph overrides.
	Overriding map[int]string
}

// Override is what became of an overridden field.
type Override struct {
	// Used tells that a key, requires, provides or interface of the subgraph still needs the field.
	Used  bool
	Label string
}

// merger holds what the merging functions share: the input, the output and what was found.
type merger struct {
	*Supergraph
	errors  report.Errors
	byName  map[string]int
	compose composed
	sources map[string][]source[*schema.Type]
	// namespaces are the prefixes of the specifications that the supergraph links.
	namespaces map[string]bool
	// dropped are the input fields that only some subgraphs have.
	dropped []*schema.Field
}

// source is an element of one subgraph.
type source[T any] struct {
	// index is the subgraph's.
	index int
	el    T
}

// Merge merges subgraphs, which must be sorted by name. On errors there is no supergraph; hints are always returned.
func Merge(subgraphs []*subgraph.Subgraph) (*Supergraph, report.Errors) {
	m := &merger{byName: map[string]int{}, sources: map[string][]source[*schema.Type]{}}
	m.Supergraph = &Supergraph{
		Schema: schema.New(""), Subgraphs: subgraphs, Machinery: map[string]bool{}, Fields: map[*schema.Field]*FieldOrigins{},
		DirectiveNames: map[string]string{},
	}
	for i, s := range subgraphs {
		m.byName[s.Name] = i
		s.Freeze()
	}
	m.version()
	m.names()
	m.readComposed()
	if len(m.errors) > 0 {
		return m.Supergraph, m.errors
	}
	m.header()
	for _, step := range []func(*merger){
		(*merger).addTypes, (*merger).mergeImplements, (*merger).mergeUnions, (*merger).mergeTypes,
		(*merger).addInterfaceObjectFields, (*merger).checkSharing, (*merger).mergeEnums, (*merger).mergeExecutableDirectives, (*merger).reservedNames,
		(*merger).mergeSchemaDefinition, (*merger).mergeAccessControl, (*merger).link, (*merger).roots,
	} {
		step(m)
	}
	return m.Supergraph, m.errors
}

func (m *merger) errorf(code report.Code, coordinate string, nodes []report.Node, format string, args ...any) {
	m.errors = append(m.errors, &report.Error{Code: code, Coordinate: coordinate, Nodes: nodes, Message: fmt.Sprintf(format, args...)})
}

func (m *merger) hint(code report.HintCode, coordinate string, nodes []report.Node, format string, args ...any) {
	m.Hints = append(m.Hints, report.Hint{Code: code, Coordinate: coordinate, Nodes: nodes, Message: fmt.Sprintf(format, args...)})
}

// node is the place of an element of a subgraph.
func (m *merger) node(index int, pos *ast.Position) report.Node { return m.Subgraphs[index].Node(pos) }

// quoted is the subgraph's name as messages write it.
func (m *Supergraph) quoted(index int) string { return `"` + m.Subgraphs[index].Name + `"` }

// roots sets the root operations.
func (m *merger) roots() {
	for _, op := range schema.Operations {
		name := schema.DefaultRoot(op)
		for _, s := range m.Subgraphs {
			if s.Roots[op] == name {
				m.Roots[op] = name
			}
		}
	}
	query := m.Type("Query")
	if m.kindsClash() {
		return
	}
	if m.Roots[ast.Query] == "" || query == nil || len(query.Fields) == 0 {
		m.errorf(report.NoQueries, "", nil, "No queries found in any subgraph: a supergraph must have a query root type.")
	}
}
