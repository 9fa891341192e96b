package merge

import (
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// version finds the version of federation for the whole: the highest that a subgraph links to.
func (m *merger) version() {
	m.Version = federation.Version{Major: 2}
	for _, s := range m.Subgraphs {
		if s.Version.AtLeast(m.Version) {
			m.Version = s.Version
		}
	}
	m.impliedVersion()
}

// joinVersion is the version of the join specification that a version of federation needs.
func joinVersion(v federation.Version) federation.Version {
	switch {
	case v.AtLeast(federation.Version{Major: 2, Minor: 8}):
		return federation.Version{Minor: 5}
	case v.AtLeast(federation.Version{Major: 2, Minor: 7}):
		return federation.Version{Minor: 4}
	}
	return federation.Version{Minor: 3}
}

const linkDefinitions = `
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar link__Import
enum link__Purpose {
  "` + "`SECURITY`" + ` features provide metadata necessary to securely resolve fields."
  SECURITY
  "` + "`EXECUTION`" + ` features provide metadata necessary for operation execution."
  EXECUTION
}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
enum join__Graph
scalar join__FieldSet
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
`

const joinField = `directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
`

const joinDirective = `scalar join__DirectiveArguments
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION
`

const joinContext = `scalar join__FieldValue
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
`

// header adds what every supergraph has: the link and join specifications.
func (m *merger) header() {
	version := joinVersion(m.Version)
	sdl := linkDefinitions
	field := joinField
	if version.Minor >= 4 {
		sdl += joinDirective
		field = strings.Replace(field, "usedOverridden: Boolean", "usedOverridden: Boolean, overrideLabel: String", 1)
	}
	if version.Minor >= 5 {
		sdl += joinContext
		field = strings.Replace(field, "overrideLabel: String", "overrideLabel: String, contextArguments: [join__ContextArgument!]", 1)
	}
	m.define(sdl + field)
	link := federation.URL{Identity: federation.LinkSpec, Version: federation.Version{Major: 1}}
	join := federation.URL{Identity: federation.JoinSpec, Version: version}
	m.Root.Apply("link", schema.Arg("url", schema.String(link.String())))
	m.Root.Apply("link", schema.Arg("url", schema.String(join.String())), schema.Arg("for", schema.Enum("EXECUTION")))
	names := make([]string, len(m.Subgraphs))
	for i, s := range m.Subgraphs {
		names[i] = s.Name
	}
	m.Graphs = graphNames(names)
	graph := m.Type("join__Graph")
	for i, s := range m.Subgraphs {
		v := graph.AddValue(&schema.EnumValue{Name: m.Graphs[i]})
		v.Apply("join__graph", schema.Arg("name", schema.String(s.Name)), schema.Arg("url", schema.String(s.URL)))
	}
}

// define adds definitions that are no part of the API.
func (m *merger) define(sdl string) {
	doc, err := schema.Parse("", "", sdl)
	if err != nil {
		panic("supergraph definitions: " + err.Error())
	}
	for _, d := range doc.Directives {
		d.Position = nil
		m.AddDirective(d)
		m.Machinery["@"+d.Name] = true
	}
	for _, t := range doc.Types {
		t.Position = nil
		m.AddType(t)
		m.Machinery[t.Name] = true
	}
}

// graph is the subgraph's join__Graph value.
func (m *merger) graph(index int) schema.DirectiveArgument {
	return schema.Arg("graph", schema.Enum(m.Graphs[index]))
}
