package merge

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// used are the specifications' names of the federation directives that a subgraph applies.
func used(s *subgraph.Subgraph) map[string]bool {
	all := map[string]bool{}
	s.EachApplied(func(d *schema.Directive) {
		if d.Spec != "" {
			all[d.Spec] = true
		}
	})
	return all
}

// names finds the supergraph's name of every composed directive: the one that all subgraphs that apply it have for it.
func (m *merger) names() {
	applied := make([]map[string]bool, len(m.Subgraphs))
	for i, s := range m.Subgraphs {
		applied[i] = used(s)
	}
	for _, d := range federation.Directives() {
		if d.Feature == nil || d.Name == "fromContext" {
			continue
		}
		var names []source[string]
		for i, s := range m.Subgraphs {
			if name, ok := s.DirectiveName(d.Name); ok && applied[i][d.Name] {
				names = append(names, source[string]{i, name})
			}
		}
		if len(names) == 0 {
			continue
		}
		m.DirectiveNames[d.Name] = names[0].el
		groups := variants(names, names[0].el, func(s source[string]) string { return s.el })
		if len(groups) > 1 {
			for i := range groups {
				groups[i].text = `"@` + groups[i].text + `"`
			}
			m.errorf(report.LinkImportNameMismatch, "@"+d.Name, nil,
				`The "@%s" directive (from %s) is imported with mismatched name between subgraphs: it is imported as %s`,
				d.Name, federation.URL{Identity: federation.Identity, Version: m.Version}, m.contrast(groups, ""))
		}
	}
}

// impliedVersion is where a linked specification asks for a newer federation than the one linked to.
func (m *merger) impliedVersion() {
	for _, s := range m.Subgraphs {
		for _, l := range s.Links {
			implied, ok := minimumFederation(l)
			if !ok || m.Version.AtLeast(implied) {
				continue
			}
			m.Version = implied
			m.hint(report.HintImplicitlyUpgradedFederationVersion, "@link", []report.Node{s.Node(l.Directive.Position)},
				"Subgraph %s has been implicitly upgraded from federation %s to %s", s.Name, s.Version, implied)
		}
	}
}

func minimumFederation(l *federation.Link) (federation.Version, bool) {
	if l.Identity == federation.ConnectSpec {
		minor := map[int]int{1: 10, 2: 11, 3: 12, 4: 13}[l.Version.Minor]
		return federation.Version{Major: 2, Minor: minor}, minor > 0
	}
	for _, f := range federation.Features {
		if l.Identity == f.Identity && f.Name != "tag" && f.Name != "inaccessible" {
			return federation.Lookup(f.Name).Since, true
		}
	}
	return federation.Version{}, false
}

// features are the specifications of the directives that the supergraph carries, in the order in which it links them.
func (m *merger) features() []*federation.Feature {
	var order []*federation.Feature
	for _, s := range m.Subgraphs {
		applied := used(s)
		for _, f := range federation.Features {
			if !slices.Contains(order, f) && slices.ContainsFunc(f.Directives, func(d string) bool { return applied[d] && m.DirectiveNames[d] != "" }) {
				order = append(order, f)
			}
		}
	}
	return order
}

// link links the supergraph to the specifications of the directives it carries and defines them.
func (m *merger) link() {
	position := slices.IndexFunc(m.Root.Applied, func(d *schema.Directive) bool { return d.Name != "link" })
	if position < 0 {
		position = len(m.Root.Applied)
	}
	rest := slices.Clone(m.Root.Applied[position:])
	m.Root.Applied = m.Root.Applied[:position]
	for _, f := range m.features() {
		m.linkFeature(f)
	}
	m.linkConnect()
	m.compose.link(m)
	m.Root.Applied = append(m.Root.Applied, rest...)
}

func (m *merger) linkFeature(f *federation.Feature) {
	namespace := m.namespace(f.Name, m.inhabited)
	args := []schema.DirectiveArgument{schema.Arg("url", schema.String(f.String()))}
	if namespace != f.Name {
		args = append(args, schema.Arg("as", schema.String(namespace)))
	}
	imports := schema.List()
	for _, d := range f.Directives {
		name := m.DirectiveNames[d]
		if name != "" && name != defaultName(f, namespace, d) {
			imports.Children = append(imports.Children, &ast.ChildValue{Value: importValue(d, name)})
		}
	}
	if f.Purpose != "" {
		args = append(args, schema.Arg("for", schema.Enum(f.Purpose)))
	}
	if len(imports.Children) > 0 {
		args = append(args, schema.Arg("import", imports))
	}
	m.Root.Apply("link", args...)
	if f.Name == "cacheTag" {
		return
	}
	for _, d := range f.Directives {
		name := m.DirectiveNames[d]
		if name == "" {
			name = defaultName(f, namespace, d)
		}
		def := federation.Lookup(d).At(federation.Newest, func(t string) string { return namespace + "__" + t })
		def.Name = name
		def.Position = nil
		m.AddDirective(def)
		m.Machinery["@"+name] = true
	}
	for _, t := range f.Scalars {
		m.AddType(&schema.Type{Name: namespace + "__" + t, Kind: "SCALAR"})
		m.Machinery[namespace+"__"+t] = true
	}
}

// linkConnect links the supergraph to the connect specification where a subgraph does, so that no router serves it that does
// not know it. The version is the one by which routers read what join__directive carries: 0.3 or later.
func (m *merger) linkConnect() {
	version := federation.Version{Minor: 3}
	linked := false
	for _, s := range m.Subgraphs {
		if l := s.Link(federation.ConnectSpec); l != nil {
			linked = true
			if l.Version.AtLeast(version) {
				version = l.Version
			}
		}
	}
	if linked && joinVersion(m.Version).Minor >= 4 {
		url := federation.URL{Identity: federation.ConnectSpec, Version: version}
		m.Root.Apply("link", schema.Arg("url", schema.String(url.String())), schema.Arg("for", schema.Enum("EXECUTION")))
	}
}

// defaultName is the name of a specification's directive where it is not imported.
func defaultName(f *federation.Feature, namespace, directive string) string {
	if f.Name == directive {
		return namespace
	}
	return namespace + "__" + directive
}

// mergeSchemaDefinition merges what stands on schema.
func (m *merger) mergeSchemaDefinition() {
	var sources []source[*element]
	for i, s := range m.Subgraphs {
		sources = append(sources, source[*element]{i, &s.Root})
	}
	m.mergeDescription(&m.Root, "schema", sources)
	m.mergeDirectives(&m.Root, "schema", sources)
	m.joinLinks()
}

// joinLinks carries links to the connect specification, and what belongs to it, for a router that knows it.
func (m *merger) joinLinks() {
	for i, s := range m.Subgraphs {
		l := s.Link(federation.ConnectSpec)
		if l == nil || joinVersion(m.Version).Minor < 4 {
			continue
		}
		m.joined(&m.Root, i, l.Directive, "link")
		for _, t := range s.Types {
			out := m.Type(t.Name)
			if out == nil {
				continue
			}
			m.joinConnect(&out.Element, i, l, &t.Element)
			for _, f := range t.Fields {
				if merged := out.Field(f.Name); merged != nil {
					m.joinConnect(&merged.Element, i, l, &f.Element)
				}
			}
		}
		m.joinConnect(&m.Root, i, l, &s.Root)
	}
}

func (m *merger) joinConnect(out *element, index int, l *federation.Link, e *element) {
	for _, d := range e.Applied {
		if spec, ok := l.SpecDirective(d.Name); ok && (spec == "connect" || spec == "source") {
			// The name is the subgraph's own: the link that is carried, too, says what it stands for.
			m.joined(out, index, d, d.Name)
		}
	}
}

func (m *merger) joined(out *element, index int, d *schema.Directive, name string) {
	out.Apply("join__directive", schema.Arg("graphs", schema.List(schema.Enum(m.Graphs[index]))),
		schema.Arg("name", schema.String(name)), schema.Arg("args", schema.Object(d.Arguments...)))
}
