package merge

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// composed are the directives that subgraphs ask to be composed, by @composeDirective.
type composed struct {
	order []string
	by    map[string][]composedBy
}

// composedBy is one subgraph's wish for a directive.
type composedBy struct {
	index int
	link  *federation.Link
	spec  string
	def   *schema.DirectiveDefinition
	at    *schema.Directive
}

// carries tells whether the supergraph carries the applications of a directive in a subgraph.
func (c *composed) carries(index int, name string) bool {
	return slices.ContainsFunc(c.by[name], func(b composedBy) bool { return b.index == index })
}

// definition is the one of the newest version of the specification.
func (c *composed) definition(name string) *schema.DirectiveDefinition {
	best := c.newest(name)
	if best == nil {
		return nil
	}
	return best.def
}

func (c *composed) newest(name string) *composedBy {
	var best *composedBy
	for i := range c.by[name] {
		if b := &c.by[name][i]; best == nil || b.link.Version.AtLeast(best.link.Version) {
			best = b
		}
	}
	return best
}

// readComposed reads every @composeDirective and holds subgraphs against each other.
func (m *merger) readComposed() {
	m.compose = composed{by: map[string][]composedBy{}}
	for i, s := range m.Subgraphs {
		for _, d := range s.Root.All("composeDirective") {
			m.composeDirective(i, d)
		}
	}
	m.checkComposed()
}

func (m *merger) composeDirective(index int, d *schema.Directive) {
	s := m.Subgraphs[index]
	nodes := []report.Node{s.Node(d.Position)}
	text := d.Text("name")
	fail := func(format string, args ...any) {
		m.errorf(report.DirectiveCompositionError, text, nodes, format, args...)
	}
	name, at := strings.CutPrefix(text, "@")
	if text == "" {
		fail(`Argument to @composeDirective in subgraph "%s" cannot be NULL or an empty String`, s.Name)
		return
	}
	if !at {
		fail(`Argument to @composeDirective "%s" in subgraph "%s" must have a leading "@"`, text, s.Name)
		return
	}
	if m.federationDirective(index, name, nodes) {
		return
	}
	def := s.Directive(name)
	if def == nil {
		var known []string
		for _, own := range s.Directives {
			known = append(known, "@"+own.Name)
		}
		fail(`Could not find matching directive definition for argument to @composeDirective "%s" in subgraph "%s".%s`, text, s.Name, schema.DidYouMean(text, known))
		return
	}
	for _, l := range s.Links {
		if spec, ok := l.SpecDirective(name); ok {
			if !m.compose.carries(index, name) {
				if m.compose.by[name] == nil {
					m.compose.order = append(m.compose.order, name)
				}
				m.compose.by[name] = append(m.compose.by[name], composedBy{index, l, spec, def, d})
			}
			return
		}
	}
	fail(`Directive "%s" in subgraph "%s" cannot be composed because it is not a member of a core feature`, text, s.Name)
}

// federationDirective deals with the wish to compose one of federation's own directives.
func (m *merger) federationDirective(index int, name string, nodes []report.Node) bool {
	s := m.Subgraphs[index]
	for _, d := range federation.Directives() {
		if own, ok := s.DirectiveName(d.Name); !ok || own != name {
			continue
		}
		if d.Feature == nil || d.Name == "fromContext" {
			m.errorf(report.DirectiveCompositionError, "@"+name, nodes,
				`Composing federation directive "@%s" in subgraph "%s" is not supported`, name, s.Name)
			return true
		}
		m.hint(report.HintDirectiveCompositionInfo, "@"+name, nodes,
			`Directive "@%s" should not be explicitly manually composed since it is a federation directive composed by default`, name)
		return true
	}
	return false
}

// checkComposed wants one specification, one name and one major version of a composed directive.
func (m *merger) checkComposed() {
	for _, name := range m.compose.order {
		by := m.compose.by[name]
		var nodes []report.Node
		same := true
		for _, b := range by {
			nodes = append(nodes, m.node(b.index, b.at.Position))
			same = same && b.link.Identity == by[0].link.Identity && b.spec == by[0].spec
		}
		if !same {
			m.errorf(report.DirectiveCompositionError, "@"+name, nodes, `Composed directive "@%s" is not linked by the same core feature in every subgraph`, name)
		}
		m.composedClash(name, by[0], nodes)
		m.namedDifferently(name)
		for _, other := range m.compose.order {
			if other == name {
				break
			}
			if o := m.compose.by[other][0]; o.link.Identity == by[0].link.Identity && o.spec == by[0].spec {
				m.errorf(report.DirectiveCompositionError, "@"+name, nodes,
					`Composed directive is not named consistently in all subgraphs but is named "@%s" in %s and "@%s" in %s`,
					other, m.subgraphList([]int{o.index}), name, m.subgraphList([]int{by[0].index}))
			}
		}
	}
	m.majorVersions()
}

// composedClash refuses a name that some subgraph has for one of federation's composed directives.
func (m *merger) composedClash(name string, by composedBy, nodes []report.Node) {
	for _, d := range federation.Directives() {
		if d.Feature == nil {
			continue
		}
		var clash []string
		for _, s := range m.Subgraphs {
			if own, ok := s.DirectiveName(d.Name); ok && own == name {
				clash = append(clash, s.Name)
			}
		}
		if len(clash) > 0 {
			m.errorf(report.DirectiveCompositionError, "@"+name, nodes[:1],
				`Directive "@%s" in subgraph "%s" cannot be composed because it conflicts with automatically composed federation directive "@%s". Conflict exists in subgraph(s): (%s)`,
				name, m.Subgraphs[by.index].Name, d.Name, strings.Join(clash, ","))
		}
	}
}

// majorVersions compares the versions of each linked specification over all subgraphs.
func (m *merger) majorVersions() {
	type linked struct {
		majors map[int]bool
		nodes  []report.Node
	}
	var identities []string
	all := map[string]*linked{}
	for i, s := range m.Subgraphs {
		for _, l := range s.Links {
			if strings.HasPrefix(l.Identity, "https://specs.apollo.dev/") {
				continue
			}
			if all[l.Identity] == nil {
				all[l.Identity] = &linked{majors: map[int]bool{}}
				identities = append(identities, l.Identity)
			}
			all[l.Identity].majors[l.Version.Major] = true
			all[l.Identity].nodes = append(all[l.Identity].nodes, m.node(i, l.Directive.Position))
		}
	}
	for _, identity := range identities {
		if len(all[identity].majors) < 2 {
			continue
		}
		wanted := map[int]bool{}
		for _, name := range m.compose.order {
			for _, b := range m.compose.by[name] {
				if b.link.Identity == identity {
					wanted[b.link.Version.Major] = true
				}
			}
		}
		if len(wanted) > 1 {
			m.errorf(report.DirectiveCompositionError, identity, all[identity].nodes,
				`Core feature "%s" requested to be merged has major version mismatch across subgraphs`, identity)
		} else {
			m.hint(report.HintDirectiveCompositionInfo, "", all[identity].nodes,
				`Non-composed core feature "%s" has major version mismatch across subgraphs`, identity)
		}
	}
}

// link links the supergraph to the specifications of composed directives, and defines these.
func (c *composed) link(m *merger) {
	var identities []string
	for _, name := range c.order {
		if id := c.by[name][0].link.Identity; !slices.Contains(identities, id) {
			identities = append(identities, id)
		}
	}
	for _, identity := range identities {
		imports := schema.List()
		var newest *federation.Link
		for _, name := range c.order {
			best := c.newest(name)
			if best.link.Identity != identity {
				continue
			}
			if newest == nil || !newest.Version.AtLeast(best.link.Version) {
				newest = best.link
			}
			imports.Children = append(imports.Children, &ast.ChildValue{Value: importValue(best.spec, name)})
			def := *best.def
			m.AddDirective(&def)
			m.Machinery["@"+name] = true
		}
		for _, t := range m.Types {
			// Namespaced types are the specification's and no part of the API.
			if strings.HasPrefix(t.Name, newest.Namespace()+"__") {
				m.Machinery[t.Name] = true
			}
		}
		args := []schema.DirectiveArgument{schema.Arg("url", schema.String(newest.String()))}
		if namespace := m.namespace(newest.Name, func(string) bool { return false }); namespace != newest.Name {
			args = append(args, schema.Arg("as", schema.String(namespace)))
		}
		m.Root.Apply("link", append(args, schema.Arg("import", imports))...)
	}
}

// importValue is an entry of @link(import:) for a directive.
func importValue(spec, name string) *ast.Value {
	if spec == name {
		return schema.String("@" + spec)
	}
	return schema.Object(schema.Arg("name", schema.String("@"+spec)), schema.Arg("as", schema.String("@"+name)))
}
